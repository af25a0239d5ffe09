"""Password hashes: scrypt with a salt of its own for each password."""

from __future__ import annotations

import hashlib
import hmac
import secrets

# Cheap on purpose: an example that is tested in parallel should not spend its time here. Use n=2**17 for real users.
_COST = {"n": 2**11, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """Return salt and digest in one printable string."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_digest(password, salt).hex()}"


def verify_password(password: str, stored: str) -> bool:
    """Compare in constant time."""
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
