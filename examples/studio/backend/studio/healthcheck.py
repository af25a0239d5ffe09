"""A health check for images without curl: `python -m studio.healthcheck URL` succeeds when the answer is 2xx."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

_SECONDS = 3


def main() -> None:
    """Exit with 0 or with a sentence."""
    if len(sys.argv) != 2 or not sys.argv[1].startswith(("http://", "https://")):
        sys.exit("usage: python -m studio.healthcheck http://HOST:PORT/PATH")
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=_SECONDS):  # noqa: S310 - the scheme is checked above
            pass
    except (urllib.error.URLError, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
