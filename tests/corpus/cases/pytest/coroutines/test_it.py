async def test_later():
    raise AssertionError


def test_now():
    pass
