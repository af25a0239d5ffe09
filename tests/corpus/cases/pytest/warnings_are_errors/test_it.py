import warnings


def test_old():
    warnings.warn('this is an old way', DeprecationWarning)


def test_new():
    pass
