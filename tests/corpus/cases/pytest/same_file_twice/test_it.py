RAN = []


def test_first_time_only():
    RAN.append(1)
    assert len(RAN) > 1, "bad at first"


def test_always():
    pass
