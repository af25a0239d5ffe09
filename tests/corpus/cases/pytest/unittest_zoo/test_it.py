import unittest


class Zoo(unittest.TestCase):
    @unittest.expectedFailure
    def test_known(self):
        self.fail("known for years")

    @unittest.expectedFailure
    def test_suddenly_good(self):
        pass

    def test_broken(self):
        raise RuntimeError("a wheel came off")

    def test_good(self):
        pass


class NoClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("the class has no ground to stand on")

    def test_a(self):
        pass

    def test_b(self):
        pass
