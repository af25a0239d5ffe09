"""A real Chromium for the pages we make; every page is watched for errors and for anything that wants the network."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reports
from opening import Open, Opened

from e2e_orchestrator.cli.baseline import compared_with
from e2e_orchestrator.history.baseline import baseline_of_run
from e2e_orchestrator.model.summary import fold

sync_api = pytest.importorskip("playwright.sync_api", reason="install the extra `playwright`")

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGS = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]


def chromium() -> str | None:
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium: install one, or set CHROMIUM_PATH")
    args = [*_ARGS, "--no-sandbox"] if os.geteuid() == 0 else _ARGS
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a report by its path. At the end nothing may have been said or asked for."""
    contexts, pages = [], []

    def open_(path: Path, hash_: str = "", **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": 1360, "height": 860}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        one = Opened(page, path.as_uri())
        pages.append(one)
        page.on("console", lambda message: one.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: one.said.append(f"exception: {error}"))

        def guard(route: Any) -> None:
            if route.request.url.partition("#")[0] == one.url:
                route.continue_()
            else:
                one.asked.append(route.request.url)
                route.abort()

        context.route("**/*", guard)
        page.goto(f"{one.url}#/{hash_}")
        page.wait_for_function("document.documentElement.dataset.ready")
        return one

    yield open_
    for context in contexts:
        context.close()
    assert [one.said for one in pages if one.said] == []
    assert [one.asked for one in pages if one.asked] == []


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("shop") / "test-results"
    return reports.write(output, reports.shop(output))


@pytest.fixture(scope="module")
def shop_compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, with the one before as its baseline."""
    output = tmp_path_factory.mktemp("compared") / "test-results"
    baseline = baseline_of_run(fold(reports.shop(output, mended=True)))
    return reports.write(output, compared_with(reports.shop(output), baseline))


@pytest.fixture(scope="module")
def shop_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("before") / "test-results"
    return reports.write(output, reports.shop(output, mended=True))
