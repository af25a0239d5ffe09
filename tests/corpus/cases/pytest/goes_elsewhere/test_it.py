import os
import tempfile


def test_goes():
    place = tempfile.mkdtemp()
    os.chdir(place)
    os.rmdir(place)


def test_after():
    pass
