def test_good():
    pass


def test_bad():
    thing = 'a local'
    assert thing == 'other'
