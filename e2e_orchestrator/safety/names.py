"""Which variables hold secrets, by their names and by what their values look like."""

import os
import re

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY"
    r"|CREDENTIAL|WEBHOOK|CONNECTION_?STR|OTLP_(?:\w+_)?HEADERS$|DSN$|_(?:AUTH|PWD|PSW|PW)$|(?:^|_)(?:PWD_|BEARER(?:_|$))"
    r"|(?:^|_)(?:KEYS?|PASS|PATS?|AUTHORIZATION|AUTH_HEADERS?|COOKIES?)$",
    re.IGNORECASE,
)
# A shorter value of a variable that only looks secret is usually a word ("session", "none"): masking it
# would garble every report. What is named as a secret is masked whatever its length.
SHORTEST = 8
_WORD = re.compile(r"true|false|\d+", re.IGNORECASE)

# Where a secret lies is no secret. But one key in 64 begins with a slash, so the looks alone do not tell.
_PLACE_NAME = re.compile(r"_?(?:FILE|FILENAME|PATH|DIR|DIRECTORY|FOLDER)$", re.IGNORECASE)
_PLACE = re.compile(
    r"~?(?:/[\w.@+ -]+)+/?|[\w.@+-]+(?:/[\w.@+-]+)+|[\w@+-]+\.[a-z][a-z0-9]{1,4}", re.IGNORECASE
)
_ABSOLUTE = re.compile(r"(/[\w.@+-]+)(?:/[\w.@+-]+)*/?")
_ENDING = re.compile(r"[^/]\.[A-Za-z][A-Za-z0-9]{0,7}$")


def is_secret(name: str, value: str) -> bool:
    """Whether the variable of that name holds a secret, as far as one can tell from outside."""
    if len(value) < SHORTEST or not _SECRET.search(name) or _WORD.fullmatch(value):
        return False
    return not (_PLACE.fullmatch(value) if _PLACE_NAME.search(name) else _is_path(value))


def _is_path(value: str) -> bool:
    """Absolute, and with the ending of a file or below a folder that the root of this machine has.

    Only the first folder is looked for: what lies below may be mounted, and looking may then take its time.
    """
    found = _ABSOLUTE.fullmatch(value)
    return found is not None and (_ENDING.search(value) is not None or os.path.lexists(found[1]))
