"""The settings of the shop: PostgreSQL and Redis where they are named, else what Django brings along."""

import os
from importlib.util import find_spec
from pathlib import Path

from shop.databases import from_url

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "only-for-the-example")
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "tenants",
    "catalog",
    "orders",
]
if find_spec("e2e_orchestrator"):  # Teaches `manage.py test` the option --runner.
    INSTALLED_APPS.append("e2e_orchestrator.contrib.django")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.TenantMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "shop.urls"
STATIC_URL = "static/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Where the shop runs beside its tests: they, its web server and its worker share one database and one Redis.
SHOP_URL = os.environ.get("SHOP_URL")

DATABASES = {"default": from_url(os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'shop.sqlite3'}")}
if SHOP_URL:  # With --keepdb Django's tests use it as it is.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
elif DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # A file, which a worker's thread can share.
    DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test_shop.sqlite3"}

REDIS_URL = os.environ.get("REDIS_URL")
# Slots of a run that share a Redis do not share their keys.
own = () if SHOP_URL else (os.environ.get("E2E_RUN_ID"), os.environ.get("E2E_SLOT"))
REDIS_PREFIX = "-".join(filter(None, ["shop", *own]))
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_PREFIX,
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{REDIS_PREFIX}:"} if REDIS_URL else {}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ALWAYS_EAGER = not SHOP_URL
CELERY_TASK_EAGER_PROPAGATES = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
