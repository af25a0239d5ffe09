import unittest


class Sizes(unittest.TestCase):
    def test_sizes(self):
        for size in (1, 2, 3):
            with self.subTest(size=size):
                self.assertNotEqual(size, 2, "the middle one is wrong")

    def test_fine(self):
        pass
