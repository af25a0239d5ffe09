"""Who uses the studio: somebody with an account, seen through real HTTP."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from polling import poll


@dataclass
class Streamer:
    """A user of the studio. Mostly of one test alone, so that tests can run side by side and again."""

    http: httpx.Client
    email: str
    password: str
    token: str = ""

    @classmethod
    def unregistered(cls, http: httpx.Client) -> Streamer:
        """Invent somebody nobody else is."""
        return cls(http, email=f"streamer-{secrets.token_hex(8)}@example.com", password=secrets.token_urlsafe(12))

    @classmethod
    def logged_in(cls, http: httpx.Client) -> Streamer:
        """Invent, register and log in."""
        streamer = cls.unregistered(http)
        assert streamer.register().status_code == 201
        assert streamer.log_in().status_code == 200
        return streamer

    @classmethod
    def on_the_demo_channel(cls, http: httpx.Client) -> Streamer:
        """Log in as the one account that is shown to visitors, and sweep it."""
        demo = cls(http, email="demo@example.com", password="as everybody knows")
        demo.register(display_name="Demo")  # refused where somebody was here before
        assert demo.log_in().status_code == 200
        for kit in demo.get("/brand-kits").json()["items"]:
            demo.delete(f"/brand-kits/{kit['id']}")
        for asset in demo.get("/assets").json():
            demo.delete(f"/assets/{asset['id']}")
        return demo

    def register(self, **changes: str) -> httpx.Response:
        """Create the account."""
        body = {"email": self.email, "password": self.password, "display_name": "Robin"} | changes
        return self.http.post("/auth/register", json=body)

    def log_in(self, **changes: str) -> httpx.Response:
        """Ask for a token and keep it."""
        answer = self.http.post("/auth/login", json={"email": self.email, "password": self.password} | changes)
        if answer.status_code == 200:
            self.token = answer.json()["token"]
        return answer

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET as this user."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST as this user."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        """PUT as this user."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        """PATCH as this user."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str) -> httpx.Response:
        """DELETE as this user."""
        return self.request("DELETE", path)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send anything as this user."""
        return self.http.request(method, path, headers=self.headers, **options)

    @property
    def headers(self) -> dict[str, str]:
        """What proves who is asking."""
        return {"Authorization": f"Bearer {self.token}"}

    def create_kit(self, name: str = "Night shift", **fields: str) -> dict[str, Any]:
        """Create a brand kit and return it."""
        answer = self.post("/brand-kits", json={"name": name} | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def request_image(self, asset_type: str, title: str = "Robin Plays", **fields: str) -> dict[str, Any]:
        """Create a generation job and return it as it was accepted."""
        answer = self.post("/generation/jobs", json={"asset_type": asset_type, "title": title} | fields)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """Poll a job until it is done or failed."""
        return poll(
            lambda: dict(self.get(f"/generation/jobs/{job['id']}").json()),
            until=lambda state: state["state"] in {"done", "failed"},
        )

    def make_image(self, asset_type: str, title: str = "Robin Plays", **fields: str) -> dict[str, Any]:
        """Generate an image and return the asset."""
        job = self.finished(self.request_image(asset_type, title, **fields))
        assert job["state"] == "done", job
        return dict(self.get(f"/assets/{job['asset_id']}").json())
