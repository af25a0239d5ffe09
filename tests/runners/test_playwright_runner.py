"""How Playwright is started, and what its endings mean."""

# ruff: noqa: RUF001 - the separator is what Playwright itself prints.

import json
from pathlib import Path

import pytest
from support.execute import Bench
from support.kinds import playwright_project

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.runners.playwright import REPORTER, PlaywrightRunner

IMPORT = "import { test, expect } from '@playwright/test';\n"


def installed(root: Path, *, version: str = "1.65.0", package: str = "@playwright/test") -> Path:
    folder = root / "node_modules" / package
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": version}))
    cli = folder / "cli.js"
    cli.write_text("")
    return cli


class TestCommand:
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        """A project whose node is a file that is never started."""
        root = tmp_path / "project"
        (root / "bin").mkdir(parents=True)
        node = root / "bin" / "node"
        node.write_text("")
        node.chmod(0o755)
        return Bench(factory=PlaywrightRunner, kind="playwright", root=root, output=tmp_path / "out")

    def argv(self, bench: Bench, target: str, *args: str, cwd: Path | None = None) -> tuple[str, ...]:
        test = bench.test(target, args=args, env={"PATH": str(bench.root / "bin")}, cwd=cwd)
        return bench.runner().command(test, bench.spec()).argv

    def test_it_runs_the_projects_own_playwright_with_node_and_never_through_npx(self, bench: Bench) -> None:
        cli = installed(bench.root)
        deeper = bench.root / "packages" / "web"
        deeper.mkdir(parents=True)
        argv = self.argv(bench, "a.spec.ts", "--project", "desktop", cwd=deeper)
        assert argv[:3] == (str(bench.root / "bin" / "node"), str(cli), "test")
        assert argv[-2:] == ("--project", "desktop")
        assert "--forbid-only" in argv
        assert "--reporter" not in argv

    def test_the_nearest_playwright_wins(self, bench: Bench) -> None:
        installed(bench.root)
        own = installed(bench.root / "web")
        assert self.argv(bench, "a", cwd=bench.root / "web")[1] == str(own)

    def test_the_plain_playwright_package_will_do(self, bench: Bench) -> None:
        cli = installed(bench.root, package="playwright")
        assert self.argv(bench, "a")[1] == str(cli)

    @pytest.mark.parametrize(
        ("target", "pattern"),
        [
            pytest.param("e2e/a+b.spec.ts", r"^{root}\/e2e\/a\+b\.spec\.ts$", id="a file"),
            pytest.param("e2e/a+b.spec.ts:12", r"^{root}\/e2e\/a\+b\.spec\.ts$:12", id="a line of a file"),
            pytest.param(
                "e2e/a+b.spec.ts:12:3", r"^{root}\/e2e\/a\+b\.spec\.ts$:12:3", id="a place in a file"
            ),
            pytest.param("./e2e/../e2e", r"^{root}\/e2e/", id="a folder"),
            pytest.param("deep.spec.ts", r"^{root}\/e2e\/inner\/deep\.spec\.ts$", id="the end of one path"),
            pytest.param("twice.spec.ts", "twice.spec.ts", id="the end of two paths"),
            pytest.param("shop|bank", "shop|bank", id="a pattern"),
        ],
    )
    def test_a_file_becomes_a_pattern_that_matches_nothing_else(
        self, bench: Bench, target: str, pattern: str
    ) -> None:
        installed(bench.root)
        for name in ("a+b.spec.ts", "inner/deep.spec.ts", "inner/twice.spec.ts", "other/twice.spec.ts"):
            path = bench.root / "e2e" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        hidden = bench.root / "node_modules" / "deep.spec.ts"
        hidden.write_text("")
        root = str(bench.root.resolve()).replace("/", r"\/").replace(".", r"\.")
        assert self.argv(bench, target)[3] == pattern.replace("{root}", root)

    @pytest.mark.parametrize(
        ("version", "added", "variable"),
        [
            ("1.65.1", True, False),
            ("1.63.0", True, False),
            ("1.62.9", False, True),
            ("nonsense", False, True),
        ],
    )
    def test_the_reporter_is_added_as_the_version_allows(
        self, bench: Bench, version: str, added: bool, variable: bool
    ) -> None:
        installed(bench.root, version=version)
        test = bench.test("a", env={"PATH": str(bench.root / "bin")})
        command = bench.runner().command(test, bench.spec())
        assert (str(REPORTER) in command.argv) is added
        assert (command.env.get("PW_TEST_REPORTER") == str(REPORTER)) is variable

    def test_a_report_place_that_the_user_chose_is_kept(self, bench: Bench) -> None:
        installed(bench.root)
        env = {"PATH": str(bench.root / "bin"), "PLAYWRIGHT_HTML_OUTPUT_DIR": "mine"}
        spec = bench.spec()
        command = bench.runner().command(bench.test("a", env=env), spec)
        assert command.env["PLAYWRIGHT_HTML_OUTPUT_DIR"] == "mine"
        assert command.env["PLAYWRIGHT_JUNIT_OUTPUT_FILE"] == str(spec.folder / "junit.xml")

    def test_a_missing_node_is_named(self, bench: Bench) -> None:
        installed(bench.root)
        (bench.root / "bin" / "node").unlink()
        with pytest.raises(InfrastructureError, match="node"):
            self.argv(bench, "a")

    @pytest.mark.parametrize(
        ("files", "hint"),
        [
            (["package.json", "package-lock.json"], "npm ci"),
            (["package.json", "pnpm-lock.yaml"], "pnpm install --frozen-lockfile"),
            (["package.json", "yarn.lock"], "yarn install --frozen-lockfile"),
            (["package.json"], "npm install"),
            ([], "npm init playwright@latest"),
        ],
    )
    def test_a_missing_playwright_says_what_to_type(self, bench: Bench, files: list[str], hint: str) -> None:
        for name in files:
            (bench.root / name).write_text("{}")
        with pytest.raises(InfrastructureError) as caught:
            self.argv(bench, "a")
        assert caught.value.hint == f"cd {bench.root} && {hint}"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A project with the real thing."""
    return Bench(
        factory=PlaywrightRunner,
        kind="playwright",
        root=playwright_project(tmp_path),
        output=tmp_path / "out",
    )


def write(bench: Bench, **files: str) -> None:
    names = {
        "config": "playwright.config.ts",
        "spec": "a.spec.ts",
        "other": "other.spec.ts",
        "setup": "setup.ts",
    }
    for name, text in files.items():
        (bench.root / names[name]).write_text(text)


def config(text: str) -> str:
    return f"import {{ defineConfig }} from '@playwright/test';\nexport default defineConfig({{ {text} }});\n"


@pytest.mark.slow
class TestJudgement:
    @pytest.mark.parametrize(
        ("files", "reason", "words"),
        [
            pytest.param(
                {"spec": "const = 3;\n"}, Reason.COLLECTION_ERROR, "SyntaxError", id="a syntax error"
            ),
            pytest.param(
                {"spec": IMPORT + "test.only('a', () => {});\ntest('b', () => {});\n"},
                Reason.COLLECTION_ERROR,
                ".only",
                id="a forgotten only",
            ),
            pytest.param(
                {"spec": IMPORT + "test('a', () => {});\n", "config": "throw new Error('bad config');\n"},
                Reason.USAGE_ERROR,
                "bad config",
                id="a configuration that throws",
            ),
            pytest.param(
                {
                    "spec": IMPORT + "test('a', () => {});\n",
                    "config": config("globalSetup: './setup.ts'"),
                    "setup": "export default () => { throw new Error('no database'); };\n",
                },
                Reason.COLLECTION_ERROR,
                "no database",
                id="a global set-up that throws",
            ),
            pytest.param(
                {
                    "spec": IMPORT + "test('a', () => {});\n",
                    "config": config("globalTeardown: './setup.ts'"),
                    "setup": "export default () => { throw new Error('cannot clean'); };\n",
                },
                Reason.CRASH,
                "cannot clean",
                id="a global teardown that throws",
            ),
            pytest.param(
                {
                    "spec": IMPORT + "test('a', () => {});\n",
                    "config": config("globalTeardown: './setup.ts'"),
                    "setup": "export default () => process.exit(0);\n",
                },
                Reason.EVIDENCE_MISSING,
                "never finished",
                id="a global teardown that exits with 0",
            ),
            pytest.param(
                {
                    "spec": IMPORT + "test('a', () => {});\n",
                    "config": config("webServer: { command: 'exit 7', url: 'http://127.0.0.1:9' }"),
                },
                Reason.INFRASTRUCTURE,
                "config.webServer",
                id="a web server that ends at once",
            ),
            pytest.param(
                {
                    "spec": IMPORT + "test('a', async () => { await new Promise(() => {}); });\n",
                    "config": config("globalTimeout: 1500, timeout: 0"),
                },
                Reason.TIMEOUT,
                "globalTimeout",
                id="its own global timeout",
            ),
            pytest.param(
                {
                    "spec": IMPORT + "test('a', ({}, info) => { expect(info.retry).toBe(1); });\n",
                    "config": config("retries: 1, failOnFlakyTests: true"),
                },
                Reason.TEST_FAILURES,
                "flaky",
                id="flaky where that is forbidden",
            ),
        ],
    )
    def test_each_ending_has_its_reason_and_says_it(
        self, bench: Bench, files: dict[str, str], reason: Reason, words: str
    ) -> None:
        write(bench, **files)
        judged, completed, _ = bench.attempt(bench.test("a.spec.ts"), limit=60)
        assert judged.verdict.reason is reason, completed.tail
        assert words in (judged.verdict.message or "")

    def test_another_file_that_matches_does_not_stand_in_for_the_target(self, bench: Bench) -> None:
        write(bench, spec=IMPORT + "test('a', () => {});\n", config=config("testMatch: 'other.spec.ts'"))
        write(bench, other=IMPORT + "test('b', () => {});\n")
        verdict = bench.run("a.spec.ts").verdict
        assert verdict.reason is Reason.NO_TESTS

    def test_a_set_up_project_alone_does_not_stand_in_for_the_target(self, bench: Bench) -> None:
        projects = "projects: [{ name: 'setup', testMatch: 'other.spec.ts' }, { name: 'main', dependencies: ['setup'] }]"
        write(bench, config=config(projects), other=IMPORT + "test('signs in', () => {});\n")
        write(bench, spec=IMPORT + "test('shop', () => {});\n")
        judged = bench.run("a.spec.ts")
        assert judged.verdict.status is Status.PASSED
        assert [case.id for case in judged.cases] == [
            "[setup] › other.spec.ts › signs in",
            "[main] › a.spec.ts › shop",
        ]
        write(bench, spec=IMPORT + "test.skip('shop', () => {});\n")
        assert bench.run("a.spec.ts").verdict.reason is Reason.ALL_SKIPPED

    def test_a_missing_browser_says_what_to_install(self, bench: Bench) -> None:
        write(
            bench,
            config=config("use: { launchOptions: { executablePath: '/nowhere/chromium' } }"),
            spec=IMPORT + "test('a', async ({ page }) => { await page.goto('about:blank'); });\n",
        )
        verdict = bench.run("a.spec.ts").verdict
        assert verdict.reason is Reason.INFRASTRUCTURE
        assert "npx playwright install chromium" in (verdict.message or "")

    def test_a_target_with_a_line_runs_that_case(self, bench: Bench) -> None:
        write(bench, spec=IMPORT + "test('a', () => {});\ntest('b', () => {});\n")
        judged = bench.run("a.spec.ts:3")
        assert judged.verdict.status is Status.PASSED
        assert [(case.id, case.line, case.status) for case in judged.cases] == [
            ("a.spec.ts › b", 3, CaseStatus.PASSED)
        ]
