def test_line():
    print('x' * 8_000_000)
    assert False, 'y' * 3_000_000
