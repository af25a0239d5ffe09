"""Files that tests leave, from outside: kept for each attempt, listed and linked."""

import pytest
from support.project import Project

pytestmark = pytest.mark.slow

STORY = """\
    mkdir -p shots other
    [ "$E2E_ATTEMPT" = 1 ] && echo first >shots/only-first.txt
    echo "attempt $E2E_ATTEMPT of $E2E_TEST, password hunter2hunter2" >shots/state.txt
    echo x >other/log.json
    ln -sf /etc/passwd shots/passwd.txt
    mkfifo shots/pipe.txt 2>/dev/null
    [ "$E2E_ATTEMPT" = 2 ]
"""


def test_each_attempt_keeps_its_own_and_no_older_ones(project: Project) -> None:
    project.write({"story.sh": STORY, "shots/stale.txt": "of another day"})
    test = {"target": "sh story.sh", "artifacts": "other/*.json"}
    phase = {"name": "p", "tests": {"t": test}, "retries": {"max": 1, "delay": 0}, "artifacts": ["**/*.txt"]}
    run = project.phases([phase], kind="command", artifacts={"collect": ["shots/state.*"]}).run(
        "--report", "console,json,junit,markdown", env={"MY_PASSWORD": "hunter2hunter2"}
    )
    assert run.exit_code == 0, run.stdout
    kept = [
        {one["name"]: (run.output / one["path"]).read_text() for one in attempt["attachments"]}
        for attempt in run.tests["p/t"]["attempts"]
    ]
    assert [set(one) for one in kept] == [
        {"shots/state.txt", "shots/only-first.txt", "other/log.json"},
        {"shots/state.txt", "other/log.json"},
    ]
    assert [one["shots/state.txt"][:9] for one in kept] == ["attempt 1", "attempt 2"]
    assert "hunter2" not in kept[0]["shots/state.txt"]
    for name in ("junit.xml", "summary.md"):
        assert "artifacts/shots/state.txt" in (run.output / name).read_text(), name


@pytest.mark.parametrize("glob", ["/etc/*", "../*", "a/../../b", "~/x"])
def test_a_glob_that_leaves_the_folder_is_refused(project: Project, glob: str) -> None:
    run = project.phases([{"name": "p", "tests": {"t": "true"}}], kind="command", artifacts=[glob]).run(
        "validate"
    )
    assert run.exit_code == 2
    assert "must stay below the folder" in run.stderr
