def test_1():
    pass


def test_2():
    assert False


def test_3():
    assert False


def test_4():
    pass
