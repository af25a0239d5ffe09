def test_one():
    assert False
