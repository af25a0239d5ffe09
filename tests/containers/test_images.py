"""The Dockerfiles build from pinned bases and from files that are there, and hadolint has nothing to say."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDIO = ROOT / "examples" / "studio"
DOCKERFILES = [
    pytest.param(ROOT / "Dockerfile", id="of the orchestrator"),
    pytest.param(STUDIO / "Dockerfile", id="of the studio"),
]


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word.upper(), rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines())
        if word
    ]


def arguments(dockerfile: Path, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(dockerfile) if word == instruction]


def copied(dockerfile: Path) -> list[str]:
    """What comes from the build context."""
    copies = [shlex.split(rest) for rest in arguments(dockerfile, "COPY")]
    paths = [[word for word in words if not word.startswith("--")] for words in copies]
    return [source for words in paths for source in words[:-1]]


@pytest.mark.slow
@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--no-color", "--failure-threshold", "warning", str(dockerfile)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_every_base_is_a_version_and_none_is_latest(dockerfile: Path) -> None:
    bases = arguments(dockerfile, "FROM")
    assert bases
    for base in bases:
        tag = base.partition("@")[0].rpartition(":")[2]
        assert re.match(r"\d+\.\d+", tag), base


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_everything_that_is_copied_is_there(dockerfile: Path) -> None:
    sources = copied(dockerfile)
    assert sources
    assert [source for source in sources if not (dockerfile.parent / source).exists()] == []


def test_the_build_context_holds_everything_that_is_copied() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    allowed = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for source in copied(ROOT / "Dockerfile"):
        assert any(source == path or source.startswith(f"{path}/") for path in allowed), source


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_it_does_not_run_as_root(dockerfile: Path) -> None:
    assert arguments(dockerfile, "USER")[-1:] not in ([], ["root"], ["0"])


def test_tini_is_process_one_and_arguments_go_to_the_orchestrator() -> None:
    assert arguments(ROOT / "Dockerfile", "ENTRYPOINT") == ['["tini", "--", "e2e-orchestrate"]']


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_it_needs_no_frontend_from_the_network(dockerfile: Path) -> None:
    assert not re.search(r"^#\s*syntax=", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
