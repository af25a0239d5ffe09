def test_asks():
    input('continue? ')
