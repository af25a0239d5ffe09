"""The examples of docs/how-to/write-a-reporter.md do what the page says."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support import stories

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.protocols import Reporter, ReporterContext, ReporterFactory

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-reporter.md"


def example(name: str) -> ReporterFactory:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if f"class {name}" in block]
    namespace: dict[str, Any] = {}
    exec(compile(code, f"{PAGE.name}: {name}", "exec"), namespace)
    factory: ReporterFactory = namespace[name]
    return factory


def tell(reporter: Reporter, envelopes: Sequence[Envelope]) -> None:
    async def run() -> None:
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(run())


def test_the_diary_of_a_red_run(tmp_path: Path) -> None:
    tell(example("DiaryReporter")(ReporterContext(output=tmp_path, run_folder=tmp_path)), stories.red())
    assert (tmp_path / "diary.md").read_text() == (
        f"## {stories.RUN_ID}\n"
        "- health: passed in 0.8 s\n"
        "- backend_smoke: failed in 14.0 s\n"
        "  - login: exit status 1: 2 of 5 cases failed\n"
        "  - tips: died of SIGSEGV in case tests/test_tips.py::test_1\n"
        "- frontend: skipped in 0.0 s\n"
        "  - pages: the required phase backend_smoke failed\n"
        "- performance: skipped in 0.0 s\n"
        "  - speed: the required phase backend_smoke failed\n"
        "16.4 s in all\n\n"
    )


@pytest.mark.parametrize("story", stories.STORIES)
@pytest.mark.parametrize("name", ["DiaryReporter", "DotsReporter"])
def test_the_examples_survive_every_story(name: str, story: str, tmp_path: Path) -> None:
    context = ReporterContext(output=tmp_path, run_folder=tmp_path, path=tmp_path / "deep" / "diary.md")
    try:
        tell(example(name)(context), stories.STORIES[story]())
    except UnicodeEncodeError:
        assert story == "a hostile run", "the page says: escape it for where it goes"


def test_the_dots_of_a_red_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(example("DotsReporter")(ReporterContext(output=tmp_path, run_folder=tmp_path)), stories.red())
    assert capsys.readouterr().out == ".......FF...FF....\n7 tests, 2 failed\n"
