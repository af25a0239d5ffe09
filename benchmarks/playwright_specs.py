"""B: twelve small Playwright specs, two at a time: how long, and how much work, in each way of starting them.

python benchmarks/playwright_specs.py [ROUNDS]      prints a table

The ways take turns within each round, in another order every time; the figures are medians. Work is the
processor time of all processes that a way started, browsers included. Needs Node, @playwright/test
(E2E_TEST_PLAYWRIGHT names a folder that has it) and Chromium (CHROMIUM_PATH, or on PATH); its headless shell
(HEADLESS_SHELL_PATH, or on PATH) gets rows of its own.
"""

import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from table import Row, Sample, markdown

SECTION = "B. Playwright: specs of 2 page cases, two at a time, per spec"
SPECS, CASES, AT_ONCE = 12, 2, 2
REPOSITORY = Path(__file__).parents[1]
_BECOME_SUBREAPER = 36
_CONFIG = """
import { defineConfig } from '@playwright/test';
export default defineConfig({
  testDir: 'specs', // Where nobody's output comes and goes while another one looks for specs.
  reporter: 'line',
  use: {
    baseURL: process.env.BENCH_URL,
    launchOptions: { executablePath: process.env.BENCH_BROWSER, args: ['--no-sandbox'] },
  },
});
"""
_CASE = """
test('case {number}', async ({{ page }}) => {{
  await page.goto('/{spec}/{number}');
  await expect(page.locator('h1')).toHaveText('/{spec}/{number}');
  await page.getByRole('button').click();
  await expect(page.locator('#said')).toHaveText('clicked');
}});
"""
_PAGE = (
    "<!doctype html><h1>{path}</h1><button onclick=\"said.textContent='clicked'\">go</button><p id=said></p>"
)

Command = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Way:
    """``commands`` run two at a time; ``browser`` is which one the configuration asks for."""

    name: str
    commands: Sequence[Command]
    browser: str
    reference: str


def rows(rounds: int, *, specs: int = SPECS) -> list[Row]:
    """Raises RuntimeError if a tool is missing or a way does not pass: its figures would mean nothing."""
    with tempfile.TemporaryDirectory(prefix="playwright-specs-") as folder, _served() as address:
        project = _project(Path(folder), specs=specs)
        ways = _ways(project, specs=specs)
        taken: dict[str, list[Sample]] = {way.name: [] for way in ways}
        for number in range(rounds):
            turn = number % len(ways)
            for way in (*ways[turn:], *ways[:turn]):
                taken[way.name].append(_measured(way, project, address=address))
        return [_row(way, taken, specs=specs) for way in ways]


def smoke() -> list[Row]:
    return rows(1, specs=2)


def _row(way: Way, taken: Mapping[str, Sequence[Sample]], *, specs: int) -> Row:
    """Beside the hand-written invocation with the same browser."""
    walls, base = [one.wall for one in taken[way.name]], taken[way.reference]
    wall, cpu = statistics.median(walls), statistics.median(one.cpu for one in taken[way.name])
    of_wall = wall / statistics.median(one.wall for one in base)
    return Row(
        section=SECTION,
        contestant=way.name,
        wall=wall / specs,
        cpu=cpu / specs,
        ratio=cpu / statistics.median(one.cpu for one in base),
        spread=(max(walls) - min(walls)) / wall,
        note=f"beside the hand-written one; wall {of_wall:.2f} of it",
    )


def _project(root: Path, *, specs: int) -> Path:
    home = Path(os.environ.get("E2E_TEST_PLAYWRIGHT", REPOSITORY / "examples" / "studio" / "tsx"))
    if not (home / "node_modules" / "@playwright" / "test" / "cli.js").is_file():
        raise RuntimeError(f"@playwright/test is not installed in {home}: run npm ci there")
    (root / "node_modules").symlink_to(home / "node_modules")
    (root / "package.json").write_text("{}")
    (root / "playwright.config.ts").write_text(_CONFIG)
    (root / "specs").mkdir()
    for spec in range(specs):
        cases = "".join(_CASE.format(spec=spec, number=number) for number in range(CASES))
        (root / "specs" / f"s{spec}.spec.ts").write_text(
            "import { test, expect } from '@playwright/test';\n" + cases
        )
    tests = {f"s{spec}": f"specs/s{spec}.spec.ts" for spec in range(specs)}
    phase = {"name": "p", "runner": "r", "tests": tests, "timeout": "10m"}
    config = {"version": 1, "retries": 0, "runners": {"r": {"kind": "playwright"}}, "phases": [phase]}
    (root / "phases.yaml").write_text(json.dumps(config))
    return root


def _ways(project: Path, *, specs: int) -> list[Way]:
    found = browsers()
    files = [f"s{spec}.spec.ts" for spec in range(specs)]
    cli = ("node", str(project / "node_modules" / "@playwright" / "test" / "cli.js"), "test")
    one: Command = (*cli, "--workers", str(AT_ONCE), "--output", "out-one")
    npx = [("npx", "playwright", "test", f"/{spec}$", "--output", f"out-{spec}") for spec in files]
    node = [(*cli, f"/{spec}$", "--output", f"out-{spec}") for spec in files]
    ours = (sys.executable, "-m", "e2e_orchestrator", "-q", "--workers", str(AT_ONCE), "--output", "ours")
    by_name: Mapping[str, Sequence[Command]] = {
        "`npx playwright test FILE` each": npx,
        "`node cli.js test FILE` each": node,
        "one hand-written invocation": [one],
        "e2e-orchestrate, `pack: off`": [(*ours, "--pack", "off")],
        "e2e-orchestrate, `pack: auto`": [(*ours, "--pack", "auto")],
    }
    return [
        Way(
            name=f"{name}, {browser}",
            commands=commands,
            browser=path,
            reference=f"one hand-written invocation, {browser}",
        )
        for browser, path in found.items()
        for name, commands in by_name.items()
    ]


def browsers() -> dict[str, str]:
    """Name -> path. CHROMIUM_PATH may name either of the two: ``scripts/bench`` prefers the one without a window."""
    given = os.environ.get("CHROMIUM_PATH", "")
    is_shell = "headless" in Path(given).name
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = (not is_shell and given) or next(filter(None, map(shutil.which, names)), None)
    shell = os.environ.get("HEADLESS_SHELL_PATH") or (
        given if is_shell else shutil.which("chromium-headless-shell")
    )
    found = {"Chromium": chromium, "headless shell": shell}
    if not (there := {name: path for name, path in found.items() if path}):
        raise RuntimeError("there is no Chromium: install one, or name it in CHROMIUM_PATH")
    return there


def _measured(way: Way, project: Path, *, address: str) -> Sample:
    """Wall and processor seconds, with everything that the way started gone again."""
    env = {**os.environ, "BENCH_URL": address, "BENCH_BROWSER": way.browser}
    env |= {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    # As where it is installed: compiled once.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PYTHONPYCACHEPREFIX"] = str(project / "compiled")
    started, before = time.perf_counter(), _spent()
    _run_all(way, project, env=env)
    wall = time.perf_counter() - started
    _reap()
    return Sample(wall=wall, cpu=_spent() - before)


def _run_all(way: Way, project: Path, *, env: Mapping[str, str]) -> None:
    waiting = list(way.commands)
    lock = threading.Lock()
    failed: list[str] = []

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                command = waiting.pop(0)
            ended = subprocess.run(
                command,
                cwd=project,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            if ended.returncode:
                failed.append(f"{way.name}: {' '.join(command)}: {ended.stdout[-2000:]}")

    threads = [threading.Thread(target=work) for _ in range(min(AT_ONCE, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(failed[0])


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> None:
    """Waits for what the browsers left as orphans: we are their subreaper, so that their work counts."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


@contextmanager
def _served() -> Iterator[str]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _PAGE.format(path=self.path).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    serving: Callable[[], None] = server.serve_forever
    thread = threading.Thread(target=serving, daemon=True)
    thread.start()
    ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1)
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 0)
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    print(markdown(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 5)))


if __name__ == "__main__":
    main()
