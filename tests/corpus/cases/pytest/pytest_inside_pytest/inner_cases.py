def test_inner_bad():
    assert False
