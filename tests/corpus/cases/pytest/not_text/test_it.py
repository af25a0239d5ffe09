import os


def test_bytes():
    os.write(1, b'\xff\xfe\x00\x1b[2J\x1b]0;owned\x07\r\n')
    raise ValueError('lone \udcff surrogate \x00 \x1b[31m')
