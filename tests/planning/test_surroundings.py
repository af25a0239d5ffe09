import pytest

from e2e_orchestrator.planning.surroundings import Machine

FILES = (
    "top.py",
    "a/one.py",
    "a/b/two.py",
    "a/b/c/three.py",
    "a/node_modules/x/one.py",
    "a/.hidden/one.py",
    "a/[id]/page.ts",
    "other/one.txt",
)
GLOBS = {
    "*.py": ["top.py"],
    "a/*.py": ["a/one.py"],
    "**/one.py": ["a/one.py"],
    "**/*.py": ["a/b/c/three.py", "a/b/two.py", "a/one.py", "top.py"],
    "a/**/two.py": ["a/b/two.py"],
    "a/**/**/three.py": ["a/b/c/three.py"],
    "a/**": ["a/[id]/page.ts", "a/b/c/three.py", "a/b/two.py", "a/one.py"],
    "?/[no]ne.py": ["a/one.py"],
    "a/b/[!x]wo.py": ["a/b/two.py"],
    "a/[[]id]/*.ts": ["a/[id]/page.ts"],
    "a/node_modules/*/one.py": ["a/node_modules/x/one.py"],
    "a/.hidden/*.py": ["a/.hidden/one.py"],
    "nowhere/*.py": [],
    "a/b/": [],
}


@pytest.fixture
def root(tmp_path):
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


@pytest.mark.parametrize(("pattern", "found"), GLOBS.items(), ids=[f"the glob {glob}" for glob in GLOBS])
def test_it_finds(root, pattern, found):
    assert Machine().glob(root, pattern) == found


def test_a_glob_may_start_outside_of_the_folder(root):
    assert Machine().glob(root / "other", "../a/*.py") == ["../a/one.py"]


def test_a_name_that_no_file_system_takes_does_not_exist(root):
    assert not Machine().exists(root / ("x" * 5000))


def test_there_is_a_processor():
    assert Machine().processors() >= 1
