"""``e2e-orchestrate doctor``: would a run find everything it needs on this machine?"""

import asyncio
import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click

from e2e_orchestrator import plugins
from e2e_orchestrator.cli.boundary import masked
from e2e_orchestrator.cli.equipment import Asking, tools_of
from e2e_orchestrator.cli.load_plan import load_plan
from e2e_orchestrator.cli.options import Selection, config_option
from e2e_orchestrator.errors import InfrastructureError, OrchestratorError
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.references import references
from e2e_orchestrator.model.safeguards import looked_at
from e2e_orchestrator.model.service import PageProbe, PlannedService, Probe, SqlProbe
from e2e_orchestrator.process.remains import CAN_LOOK
from e2e_orchestrator.protocols import EquippedRunner
from e2e_orchestrator.services import compose, page, probes
from e2e_orchestrator.storing.s3 import CannotStore, S3Place

_MISSING = 5
_REFUSED = 6
_MARK = "e2e-orchestrate-doctor"
_DRIVERS = {
    "postgresql": ("psycopg", "postgresql"),
    "postgres": ("psycopg", "postgresql"),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at; in ``trouble`` a run would not get far, with ``doubt`` perhaps."""

    about: str
    says: str
    trouble: bool = False
    doubt: bool = False
    exit_code: int = _MISSING

    @property
    def mark(self) -> str:
        return "✗" if self.trouble else "!" if self.doubt else "✓"


@click.command("doctor")
@config_option
def doctor(config: Path) -> int:
    """Look whether a run would find its tools, its ports and harmless targets. Starts no test and no service.

    Exit code 0 if all is well, 5 if something is missing, 6 if a target looks like production.
    """
    plan = load_plan(Selection(config=config)).plan
    findings = [*_machine(), *_runners(plan), *_tools(plan), *asyncio.run(_ports(plan)), *_targets(plan)]
    if not any(one.exit_code == _REFUSED for one in findings):  # It is not even asked then.
        findings += _bucket(plan)
    for one in findings:
        click.echo(f"{one.mark} {one.about}: {one.says}")
    troubles = [one.exit_code for one in findings if one.trouble]
    return max(troubles, default=0)


def _machine() -> Iterator[Finding]:
    says = "descendants, ports and remains of dead runs can be told apart"
    if not CAN_LOOK:
        says = "there is no /proc: daemons that detach themselves may escape, owners of ports are unknown"
    yield Finding(about="system", says=says)


def _runners(plan: Plan) -> Iterator[Finding]:
    """Each runner's tools, as its tests that would run need them."""
    asking = Asking()
    for spec in plan.runners:
        about = f"runner {spec.name}"
        tests = [test for test in plan.tests if test.runner == spec.name and not test.condition]
        runner = plugins.runner(spec.kind)(spec)
        if not tests:
            yield Finding(about=about, says="no test uses it")
        elif not isinstance(runner, EquippedRunner):
            yield Finding(about=about, says=f"kind {spec.kind} does not tell which tools it needs")
        else:
            found = tools_of(runner, tests, asking=asking)
            for lack in found.missing:
                yield Finding(about=about, says=lack, trouble=True)
            if not found.missing:
                says = "; ".join([found.there, *found.doubtful])
                yield Finding(about=about, says=says, doubt=bool(found.doubtful))


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
    hint = f"install it, make it executable with chmod +x, or correct services.{service.name}.command"
    return Finding(about=about, says=f"there is no program {name} (hint: {hint})", trouble=True)


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


def _bucket(plan: Plan) -> Iterator[Finding]:
    """By an empty object: the right to write is all that a run needs, and nothing else proves it."""
    if (address := plan.artifacts.store) is None:
        return
    about = f"artifacts {address}"
    try:
        url = S3Place(address=address, tries=1).put(io.BytesIO(), name=_MARK, content_type="text/plain")
        yield Finding(about=about, says=f"can be written: {masked(url)}")
    except InfrastructureError as error:
        yield Finding(about=about, says=f"{error.message}: {error.hint}", trouble=True)
    except CannotStore as error:
        yield Finding(about=about, says=f"cannot be written: {masked(str(error))}", trouble=True)


def _targets(plan: Plan) -> Iterator[Finding]:
    refused = [one for one in plan.checked if one.refused]
    for one in refused:
        about = f"{one.where}: {one.what}"
        yield Finding(about=about, says=one.refused or "", trouble=True, exit_code=_REFUSED)
    for looked in looked_at(one for one in plan.checked if not one.refused):
        yield Finding(about="safeguards", says=str(looked))
    if not plan.checked:
        yield Finding(about="safeguards", says="no address leads anywhere")
