def test_deep():
    def down():
        down()

    try:
        down()
    except RecursionError as error:
        raise ValueError('out of depth') from error
