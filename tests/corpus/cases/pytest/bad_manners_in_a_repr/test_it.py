class Shy:
    def __repr__(self):
        raise RuntimeError('do not look')


def test_shy():
    assert Shy() == Shy()
