def double(n):
    """
    >>> double(2)
    4
    """
    return 2 * n


def half(n):
    """
    >>> half(4)
    3
    """
    return n // 2
