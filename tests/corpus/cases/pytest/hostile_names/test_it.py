import pytest

NAMES = [
    "::error::take me serious",
    "]]><testcase/>",
    "\x1b[2J\x1b]0;title\x07",
    "../../../etc/passwd",
    "a::b[c]::d",
    "<!channel> <script>alert(1)</script>",
    "new\nline ##[error] E2E_RESULT {}",
    "\u202eright to left",
    "ł" * 5000,
    "",
    " ",
]


@pytest.mark.parametrize("name", NAMES, ids=NAMES)
def test_name(name):
    assert name.startswith("a"), name[:50]
