def test_good():
    pass


def test_bad():
    assert False, 'said in the dark'
