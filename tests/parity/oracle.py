"""Counts what pytest itself reports, in its own process: shares no code with what it is compared to.

Loaded with ``-p oracle``; writes ``{"collected": [...], "reports": [[id, stage, outcome, expected], ...]}``
to the file named by PARITY_ORACLE.
"""

import json
import os
from pathlib import Path

import pytest

collected = {}
reports = []


def pytest_collection_finish(session):
    collected.update(dict.fromkeys(item.nodeid for item in session.items))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node, ids):
    collected.update(dict.fromkeys(ids))


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    reports.append([report.nodeid, report.when, report.outcome, hasattr(report, "wasxfail")])


def pytest_unconfigure(config):
    if "PARITY_ORACLE" in os.environ and not hasattr(config, "workerinput"):
        told = {"collected": [*collected], "reports": reports}
        Path(os.environ["PARITY_ORACLE"]).write_text(json.dumps(told), encoding="ascii")
