#!/usr/bin/env python3
"""Prints how many tests a JUnit file holds, and what became of them."""

import sys
from xml.etree import ElementTree as ET

suites = list(ET.parse(sys.argv[1]).iter("testsuite"))  # noqa: S314 - the file is pytest's own.
total, failed, errors, skipped = (
    sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
)
passed = total - failed - errors - skipped
sys.stdout.write(f"ci: {total} tests, {passed} passed, {failed} failed, {errors} errors, {skipped} skipped\n")
