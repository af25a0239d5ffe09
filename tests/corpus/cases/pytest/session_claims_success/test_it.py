def test_bad():
    assert False, 'swept under the carpet'


def test_good():
    pass
