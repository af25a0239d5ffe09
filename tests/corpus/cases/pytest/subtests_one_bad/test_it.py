def test_all_sizes(subtests):
    for size in (1, 2, 3):
        with subtests.test("size", size=size):
            assert size != 2, f"size {size} is too odd"


def test_other(subtests):
    with subtests.test("fine"):
        pass
