def test_all(subtests):
    for number in range(3):
        with subtests.test(number=number):
            pass
