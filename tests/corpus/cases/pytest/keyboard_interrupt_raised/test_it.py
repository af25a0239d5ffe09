def test_first():
    pass


def test_raises():
    raise KeyboardInterrupt


def test_third():
    pass
