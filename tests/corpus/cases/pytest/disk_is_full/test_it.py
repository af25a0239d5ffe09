import resource


def test_before():
    pass


def test_fills_it():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # From here on every write to a file is one too many.


def test_after():
    pass
