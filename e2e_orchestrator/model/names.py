"""The names of the configuration as names of files."""

from hashlib import sha256

_LONGEST = 100  # Bytes; file systems take 255, and there is more to come behind it.


def file_name(name: str) -> str:
    """Safe as one path component on every file system, readable, and a different one for every name."""
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in name)
    short = safe.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore")
    if short == name and name.strip("."):
        return name
    return f"{short.lstrip('.')}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


DATABASES = ".django/databases.jsonl"
"""In a run's folder: the test databases that it made and has not dropped yet, a line each."""

CONTAINERS = ".containers"
"""In a run's folder: what it has with a container engine and has not removed yet, a file for each compose project."""
