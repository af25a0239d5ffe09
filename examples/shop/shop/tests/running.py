"""A shop that runs: its web server and its worker beside the tests, or else as threads of the tests."""

import json
import os
import time
from urllib.request import Request, urlopen

from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.test import Client, LiveServerTestCase, TransactionTestCase
from redis import Redis

from shop.celery import app

TOKEN = "t" * 32
SECONDS = 30


class RunningShopTestCase(TransactionTestCase if settings.SHOP_URL else LiveServerTestCase):
    """The tests only see what a customer sees, and the database and the cache that all of them share."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = settings.SHOP_URL or cls.live_server_url
        if not settings.SHOP_URL:
            cls.start_worker()

    @classmethod
    def start_worker(cls):
        eager = app.conf.task_always_eager
        cls.addClassCleanup(setattr, app.conf, "task_always_eager", eager)
        app.conf.task_always_eager = False
        cls.addClassCleanup(forget_queue)
        cls.enterClassContext(start_worker(app, perform_ping_check=False, loglevel="error", logfile=None))

    def ask(self, path, tenant="north", user=None, **data):
        """GET, or POST where there are data: what the shop answers."""
        headers = {"X-Tenant": tenant, "Content-Type": "application/json", "X-CSRFToken": TOKEN}
        if user:
            headers["Cookie"] = f"csrftoken={TOKEN}; sessionid={session_of(user)}"
        body = json.dumps(data).encode() if data else None
        with urlopen(Request(self.url + path, body, headers), timeout=SECONDS) as response:
            return json.loads(response.read() or b"null")

    def wait_for(self, look, expected):
        """Until the worker has done it."""
        until = time.monotonic() + SECONDS
        while (found := look()) != expected:
            self.assertLess(time.monotonic(), until, f"{found!r} is not {expected!r} yet")
            time.sleep(0.02)


def forget_queue():
    """What a queue of this slot alone left in a Redis that others use too."""
    if settings.REDIS_URL and "E2E_SLOT" in os.environ:
        with Redis.from_url(settings.REDIS_URL) as server:
            for key in server.scan_iter(f"{settings.REDIS_PREFIX}:*"):
                server.delete(key)


def session_of(user):
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value
