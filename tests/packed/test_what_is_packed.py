"""Which Playwright tests share an invocation, and how they share the slots: decided by looking at files."""

from pathlib import Path

import pytest
from support.plans import a_test

from e2e_orchestrator.model.isolation import Isolation
from e2e_orchestrator.model.plan import Packing, RunnerSpec, Test
from e2e_orchestrator.runners.node_cache import compile_cache
from e2e_orchestrator.runners.playwright import PlaywrightRunner

CONFIG = "playwright.config.ts"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "deep").mkdir(parents=True)
    (root / "package.json").write_text("{}")
    (root / CONFIG).write_text("export default {};\n")
    for name in ("a", "b", "c", "d", "deep/e"):
        (root / f"{name}.spec.ts").write_text("import { test } from '@playwright/test';\n")
    return root


def specs_of(root: Path, *targets: str, **fields: object) -> list[Test]:
    return [
        a_test(target, target=target, cwd=str(root), kind="playwright", **fields)  # type: ignore[arg-type]
        for target in targets
    ]


def packed(tests: list[Test], *, slots: int = 2, pack: Packing = Packing.AUTO) -> list[tuple[str, int]]:
    spec = RunnerSpec(name="r", kind="playwright", root="/", pack=pack)
    found = PlaywrightRunner(spec).packs(tests, slots=slots)
    return [(" ".join(test.target for test in one.tests), one.width) for one in found]


def test_specs_with_one_configuration_share_an_invocation_on_all_slots(root: Path) -> None:
    assert packed(specs_of(root, "a.spec.ts", "deep", "c.spec.ts")) == [("a.spec.ts deep c.spec.ts", 2)]


def test_off_is_off(root: Path) -> None:
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"), pack=Packing.OFF) == []


def test_a_pack_takes_no_more_slots_than_it_has_tests(root: Path) -> None:
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"), slots=8) == [("a.spec.ts b.spec.ts", 2)]


def test_one_test_is_no_pack(root: Path) -> None:
    assert packed(specs_of(root, "a.spec.ts")) == []


@pytest.mark.parametrize("target", ["b.spec.ts:3", "b.*", "deep/e.spec.ts"])
def test_a_place_in_a_file_a_pattern_and_what_another_holds_run_alone(root: Path, target: str) -> None:
    assert packed(specs_of(root, "a.spec.ts", "deep", target)) == [("a.spec.ts deep", 2)]


def test_other_arguments_and_another_environment_are_another_pack(root: Path) -> None:
    tests = [
        *specs_of(root, "a.spec.ts", "b.spec.ts", args=("--project", "x")),
        *specs_of(root, "c.spec.ts", "d.spec.ts", env={"X": "1"}),
        *specs_of(root, "deep", env={"X": "2"}),
    ]
    assert packed(tests) == [("a.spec.ts b.spec.ts", 2), ("c.spec.ts d.spec.ts", 2)]


def test_what_we_decide_ourselves_may_differ(root: Path) -> None:
    tests = [*specs_of(root, "a.spec.ts", timeout=3.0), *specs_of(root, "b.spec.ts", tags=("x",))]
    assert packed(tests) == [("a.spec.ts b.spec.ts", 2)]


@pytest.mark.parametrize(
    "args",
    [
        ("--project", "x", "y", "--retries=1"),
        ("-g", "name", "--config", "e2e/playwright.config.ts"),
        ("--timeout", "5000", "--headed"),
    ],
)
def test_arguments_that_mean_the_same_for_many_files(root: Path, args: tuple[str, ...]) -> None:
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts", args=args))


@pytest.mark.parametrize(
    "args",
    [
        ("--shard=1/2",),
        ("--max-failures", "1"),
        ("-x",),
        ("--workers", "1"),
        ("-j2",),
        ("--last-failed",),
        ("--list",),
        ("--global-timeout", "5000"),
        ("--fully-parallel",),
        ("--headed=1",),
        ("another.spec.ts",),
        ("--retries", "1", "another.spec.ts"),
        ("--config", "../other/playwright.config.ts"),
        ("--config=/other/playwright.config.ts",),
        ("--not-yet-invented",),
    ],
)
def test_arguments_that_count_select_or_stop_over_the_whole_run(root: Path, args: tuple[str, ...]) -> None:
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts", args=args)) == []


@pytest.mark.parametrize("name", ["E2E_TEST", "E2E_MAX_ATTEMPTS", "E2E_OUTPUT_DIR", "E2E_EVENTS", "E2E_ONLY"])
def test_a_project_that_asks_for_what_is_a_tests_own_is_not_packed(root: Path, name: str) -> None:
    (root / "deep" / "fixtures.mts").write_text(f"export const mine = process.env.{name};\n")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts")) == []


@pytest.mark.parametrize("name", ["E2E_ATTEMPT", "E2E_RUN_ID", "E2E_PHASE", "E2E_SLOT_COUNT", "MY_E2E_TEST"])
def test_what_is_the_same_for_all_of_a_pack_may_be_asked_for(root: Path, name: str) -> None:
    (root / "fixtures.ts").write_text(f"export const ours = process.env.{name};\n")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts")) == [("a.spec.ts b.spec.ts", 2)]


SPECS = ("a.spec.ts", "b.spec.ts", "c.spec.ts", "d.spec.ts", "deep")
SIDE_BY_SIDE = [("a.spec.ts c.spec.ts deep", 1), ("b.spec.ts d.spec.ts", 1)]


def test_a_project_that_asks_for_its_slot_gets_an_invocation_in_each_slot(root: Path) -> None:
    (root / CONFIG).write_text("export default { port: 3000 + Number(process.env.E2E_SLOT) };\n")
    assert packed(specs_of(root, *SPECS)) == SIDE_BY_SIDE


@pytest.mark.parametrize(
    "parallel", ["fullyParallel: true", "x: test.describe.configure({ mode: 'parallel' })"]
)
def test_own_workers_and_cases_that_run_side_by_side_give_an_invocation_in_each_slot(
    root: Path, parallel: str
) -> None:
    (root / CONFIG).write_text(f"export default {{ workers: 1, {parallel} }};\n")
    assert packed(specs_of(root, *SPECS)) == SIDE_BY_SIDE


@pytest.mark.parametrize("one", ["workers: 1", "fullyParallel: true"])
def test_one_of_both_changes_nothing(root: Path, one: str) -> None:
    (root / CONFIG).write_text(f"export default {{ {one} }};\n")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts")) == [("a.spec.ts b.spec.ts", 2)]


def test_installed_packages_are_not_asked(root: Path) -> None:
    (root / "node_modules").mkdir()
    (root / "node_modules" / "x.js").write_text("process.env.E2E_TEST")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"))


def test_a_source_that_cannot_be_read_proves_nothing(root: Path) -> None:
    (root / "loop.ts").symlink_to("loop.ts")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts")) == []


@pytest.mark.parametrize(
    ("seen", "place"),
    [
        ({"HOME": "/home/me"}, "/home/me/.cache/e2e-orchestrator/node"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "/cache"}, "/cache/e2e-orchestrator/node"),
        ({}, None),
        ({"HOME": "here"}, None),
        ({"HOME": "/home/me", "NODE_COMPILE_CACHE": "/mine"}, None),
        ({"HOME": "/home/me", "NODE_DISABLE_COMPILE_CACHE": "1"}, None),
        ({"HOME": "/home/me", "NODE_V8_COVERAGE": "/coverage"}, None),
    ],
)
def test_the_compile_cache_lies_with_the_users_others_unless_somebody_decided(
    seen: dict[str, str], place: str | None
) -> None:
    assert compile_cache(seen).get("NODE_COMPILE_CACHE") == place


SERVED = "webServer: { command: 'node server.mjs', port: 3000, reuseExistingServer: !process.env.CI }"
STOCK = f"fullyParallel: true, workers: process.env.CI ? 1 : undefined, {SERVED}"
ALL = " ".join(SPECS)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(STOCK, [(ALL, 2)], id="one server stands under all slots"),
        pytest.param(f"fullyParallel: true, workers: 1, {SERVED}", [(ALL, 1)], id="fixed workers stay as many"),
        pytest.param(STOCK.replace("3000", "3000 + Number(process.env.E2E_SLOT)"), SIDE_BY_SIDE, id="one for each slot"),
        pytest.param(f"fullyParallel: true, workers: 1, // {SERVED}", SIDE_BY_SIDE, id="a comment starts nothing"),
    ],
)  # fmt: skip
def test_a_project_that_starts_a_web_server_has_one_invocation_at_a_time(
    root: Path, config: str, expected: list[tuple[str, int]]
) -> None:
    (root / CONFIG).write_text(f"export default {{ {config}\n}};\n")
    assert packed(specs_of(root, *SPECS)) == expected


def test_specs_that_know_their_slot_share_the_one_server_from_one_slot(root: Path) -> None:
    (root / CONFIG).write_text(f"export default {{ {SERVED} }};\n")
    (root / "user.ts").write_text("export const user = `user-${process.env.E2E_SLOT}`;\n")
    assert packed(specs_of(root, *SPECS)) == [(ALL, 1)]


def exclusive(root: Path, **fields: object) -> str | None:
    [test] = specs_of(root, "a.spec.ts", **fields)
    return PlaywrightRunner(RunnerSpec(name="r", kind="playwright", root="/")).exclusive(test)


@pytest.mark.parametrize(
    "config",
    [
        f"export default {{ testMatch: '**/*.spec.ts', {SERVED} /* all */ }};",
        "const served = { 'webServer': { command: 'x' } }; export default served;",
        "import base from './deep/base.config'; export default base;",
        "import base from './deep/base.config.js'; export default base;",
        "import base from '@acme/base'; export default base;",
    ],
)
def test_the_word_is_found_in_the_configuration_and_in_what_it_names(root: Path, config: str) -> None:
    (root / CONFIG).write_text(config)
    (root / "deep" / "base.config.ts").write_text(f"export default {{ {SERVED} }};")
    linked(root, "@acme/base", f"export default {{ {SERVED} }};")
    assert exclusive(root) == f"web server of {root}"


@pytest.mark.parametrize(
    "config",
    [
        "export default { };",
        f"export default {{\n  // Start it first:\n  // {SERVED}\n}};",
        f"export default {{ testMatch: 'a//b', /*\n {SERVED} */ }};",
        "export default { webServer: { command: 'x', port: Number(process.env.WEB_PORT) } };",
        "import { test } from './a.spec'; export default { };",
    ],
)
def test_without_the_word_or_with_a_port_of_the_slots_nobody_waits(root: Path, config: str) -> None:
    (root / CONFIG).write_text(config)
    (root / "beside.ts").write_text(SERVED)
    assert exclusive(root, isolation=Isolation(ports=("WEB_PORT",))) is None


@pytest.mark.parametrize(
    "args", [("--config", "deep/other.ts"), ("--config=deep/other.ts",), ("-c", "deep"), ("-cdeep/other.ts",)]
)
def test_the_configuration_that_the_arguments_name_counts(root: Path, args: tuple[str, ...]) -> None:
    for name in ("other.ts", CONFIG):
        (root / "deep" / name).write_text(f"export default {{ {SERVED} }};")
    assert exclusive(root, args=args) == f"web server of {root}"
    assert exclusive(root) is None


def linked(root: Path, name: str, text: str) -> Path:
    """A package of the workspace, found as npm leaves it: a link in the folder above the project."""
    package = root.parent / "packages" / name.rpartition("/")[2]
    package.mkdir(parents=True, exist_ok=True)
    (package / "index.ts").write_text(text)
    link = root.parent / "node_modules" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(package)
    return package


ASKS = "export const mine = process.env.E2E_TEST;\n"


def test_packages_of_the_workspace_are_sources_wherever_they_are_named(root: Path) -> None:
    linked(root, "@acme/helpers", "export { mine } from 'deeper/mine';\n")
    linked(root, "deeper", ASKS)
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"))
    (root / "c.spec.ts").write_text("import { mine } from '@acme/helpers';\n")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts")) == []


def test_a_file_beside_the_project_is_a_source_if_it_is_named(root: Path) -> None:
    (root.parent / "shared").mkdir()
    (root.parent / "shared" / "index.ts").write_text(ASKS)
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"))
    (root / "deep" / "e.spec.ts").write_text("const { mine } = require('../../shared');\n")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts")) == []


def test_what_a_package_manager_links_is_installed_all_the_same(root: Path) -> None:
    store = root / "node_modules" / ".pnpm" / "x@1.0.0" / "node_modules" / "x"
    store.mkdir(parents=True)
    (store / "index.js").write_text(ASKS)
    (root / "node_modules" / "x").symlink_to(store)
    (root / "c.spec.ts").write_text("import 'x';\n")
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"))


def test_words_that_can_be_no_names_do_no_harm(root: Path) -> None:
    words = ("../" * 40, "./\0", f"./{'x' * 300}", "@acme", "~", "..", "./.")
    (root / "c.spec.ts").write_text("".join(f'"{word}"\n' for word in words))
    assert packed(specs_of(root, "a.spec.ts", "b.spec.ts"))
