"""``e2e-orchestrate doctor``: would a run find everything it needs on this machine?"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click

from e2e_orchestrator.cli.load_plan import load_plan
from e2e_orchestrator.cli.options import Selection, config_option
from e2e_orchestrator.errors import OrchestratorError
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.references import references
from e2e_orchestrator.model.service import PageProbe, PlannedService, Probe, SqlProbe
from e2e_orchestrator.process.remains import CAN_LOOK
from e2e_orchestrator.services import compose, page, probes

_MISSING = 5
_REFUSED = 6
_DRIVERS = {
    "postgresql": ("psycopg", "postgresql"),
    "postgres": ("psycopg", "postgresql"),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at; ``trouble`` says why a run would not get far."""

    about: str
    says: str
    trouble: bool = False
    exit_code: int = _MISSING


@click.command("doctor")
@config_option
def doctor(config: Path) -> int:
    """Look whether a run would find its tools, its ports and harmless targets. Starts nothing.

    Exit code 0 if all is well, 5 if something is missing, 6 if a target looks like production.
    """
    plan = load_plan(Selection(config=config)).plan
    findings = [*_machine(), *_tools(plan), *asyncio.run(_ports(plan)), *_targets(plan)]
    for one in findings:
        click.echo(f"{'✗' if one.trouble else '✓'} {one.about}: {one.says}")
    troubles = [one.exit_code for one in findings if one.trouble]
    return max(troubles, default=0)


def _machine() -> Iterator[Finding]:
    says = "descendants, ports and remains of dead runs can be told apart"
    if not CAN_LOOK:
        says = "there is no /proc: daemons that detach themselves may escape, owners of ports are unknown"
    yield Finding(about="system", says=says)


def _tools(plan: Plan) -> Iterator[Finding]:
    for service in plan.services:
        about = f"service {service.name}"
        if service.command:
            yield _program(service.command[0], service, about=about)
        if service.compose:
            try:
                driver = compose.find_driver(service.compose, environ={**os.environ, **service.env})
                yield Finding(about=about, says=f"containers by {driver.spelt}")
            except OrchestratorError as error:
                yield Finding(about=about, says=error.message, trouble=True)
        for probe in service.ready:
            yield from _package(probe, about=about)


def _program(name: str, service: PlannedService, *, about: str) -> Finding:
    found = Path(service.cwd, name) if os.sep in name else shutil.which(name, path=service.env.get("PATH"))
    if found and os.access(found, os.X_OK):
        return Finding(about=about, says=f"{name} is there")
    return Finding(about=about, says=f"there is no program {name}", trouble=True)


def _package(probe: Probe, *, about: str) -> Iterator[Finding]:
    match probe:
        case SqlProbe(sql=address):
            module, extra = _DRIVERS.get(urlsplit(address).scheme.partition("+")[0], ("sqlite3", ""))
        case PageProbe():
            module, extra = "playwright", "playwright"
            browser = page.installed_browser() or "Playwright's own, if it is installed"
            yield Finding(about=about, says=f"the browser is {browser}")
        case _:
            return
    if find_spec(module) is None:
        says = f"a probe needs {module}: pip install 'e2e-orchestrator[{extra}]'"
        yield Finding(about=about, says=says, trouble=True)


async def _ports(plan: Plan) -> list[Finding]:
    """Ports that the file fixes: free for what is started, answering for what is external."""
    found = []
    for service in plan.services:
        for probe in service.ready:
            if references(str(probe)):  # A free one will be found for it.
                continue
            if (place := probes.endpoint(probe)) is None:
                continue
            where, taken = f"port {place[1]} of {place[0]}", await probes.taken(place)
            says = f"{where} is {'taken' if taken else 'free'}"
            if service.external:
                says = f"{where} {'answers' if taken else 'does not answer yet'}"
            found.append(
                Finding(about=f"service {service.name}", says=says, trouble=taken and not service.external)
            )
    return found


def _targets(plan: Plan) -> Iterator[Finding]:
    refused = [one for one in plan.checked if one.refused]
    for one in refused:
        about = f"{one.where}: {one.what}"
        yield Finding(about=about, says=one.refused or "", trouble=True, exit_code=_REFUSED)
    count = len(plan.checked) - len(refused)
    if count or not refused:
        yield Finding(about="safeguards", says=f"{count} targets look fine")
