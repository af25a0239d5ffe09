import os

import pytest


@pytest.mark.parametrize("value", [os.environ["CORPUS_FIRST_TOKEN"], os.environ["CORPUS_SECOND_TOKEN"]])
def test_login(value):
    assert "other" in value
