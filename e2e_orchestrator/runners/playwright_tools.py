"""Node and the project's own Playwright: where they are, and what to type where they are not."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import Command, Tool
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.runners.programs import environment, find_program, find_upwards, upwards

_CLI = ("node_modules/@playwright/test/cli.js", "node_modules/playwright/cli.js")
# Headless Chromium is a program of its own since 1.49, beside the folder that `executablePath` tells of.
_ANY_BROWSER = """
const { chromium, firefox, webkit } = require(require.resolve("playwright-core", { paths: [process.argv[1]] }));
const { existsSync } = require("fs");
const shell = (path) => path.replace(/([\\\\/])chromium-([^\\\\/]+)[\\\\/].*/, "$1chromium_headless_shell-$2");
const paths = [chromium, firefox, webkit].map((browser) => browser.executablePath());
process.exit([...paths, shell(paths[0])].some((path) => existsSync(path)) ? 0 : 1);
"""
# How each package manager installs what its lock file says.
_INSTALL = {
    "package-lock.json": "npm ci",
    "npm-shrinkwrap.json": "npm ci",
    "pnpm-lock.yaml": "pnpm install --frozen-lockfile",
    "yarn.lock": "yarn install --frozen-lockfile",
    "bun.lock": "bun install --frozen-lockfile",
}


def find_tools(cwd: Path, seen: Mapping[str, str]) -> tuple[str, Path]:
    """Node and the project's own Playwright. Raises InfrastructureError if one of them is not there."""
    node = find_program("node", cwd=cwd, env=seen)
    if node is None:
        raise InfrastructureError(
            "node, which runs Playwright, is not on the PATH",
            hint="install Node.js 20 or later, or correct PATH in env",
        )
    cli = find_upwards(cwd, *_CLI)
    if cli is None:
        raise InfrastructureError(f"@playwright/test is not installed for {cwd}", hint=_install_hint(cwd))
    return node, cli


def tools(test: Test) -> Iterator[Tool]:
    """What a test needs, and a browser, of which only the configuration knows whether it is another one."""
    cwd = Path(test.cwd)
    node, cli = find_tools(cwd, environment(test.env))
    yield Tool(name=node)
    yield Tool(
        name=str(cli.parent),
        ask=Command(argv=(node, str(cli), "--version"), cwd=cwd, env=test.env),
        missing=f"@playwright/test at {cli.parent} cannot be started",
        hint=_install_hint(cwd),
    )
    yield Tool(
        name="a browser of its own",
        ask=Command(argv=(node, "-e", _ANY_BROWSER, str(cli.parent)), cwd=cwd, env=test.env),
        missing="Playwright has no browser of its own, and a run needs one unless the configuration names another",
        hint=browser_hint(test.cwd),
        needed=False,
    )


def browser_hint(cwd: str) -> str:
    return (
        f"cd {shlex.quote(cwd)} && npx playwright install chromium, or point the configuration's executablePath "
        "(CHROMIUM_PATH, if it reads that) to an installed one"
    )


def _install_hint(cwd: Path) -> str:
    for folder in upwards(cwd):
        for lock, command in _INSTALL.items():
            if (folder / lock).is_file():
                return f"cd {shlex.quote(str(folder))} && {command}"
        if (folder / "package.json").is_file():
            return f"cd {shlex.quote(str(folder))} && npm install"
    return f"cd {shlex.quote(str(cwd))} && npm init playwright@latest"
