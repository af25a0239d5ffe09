import json
import os
import time
from unittest import mock

import pytest


def refuse(*args, **kwargs):
    raise OSError("not now")


@pytest.fixture(scope="module", autouse=True)
def nothing_works():
    with (
        mock.patch.object(os, "getpid", return_value=1),
        mock.patch.object(os, "write", refuse),
        mock.patch.object(time, "time", refuse),
        mock.patch.object(json, "dumps", refuse),
    ):
        yield


def test_first():
    pass


def test_second():
    assert os.getpid() == 1
