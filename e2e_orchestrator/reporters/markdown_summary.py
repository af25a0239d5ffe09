"""A run as a page of Markdown: the verdict, what failed in groups, what was odd, and where to look."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from e2e_orchestrator.model.outcomes import Attachment, Status
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.reporters.ci import Place, place
from e2e_orchestrator.reporters.comparison import comparison_of
from e2e_orchestrator.reporters.groups import Failure, Group, failures_of, group
from e2e_orchestrator.reporters.markdown_text import code, fenced, html_code, table
from e2e_orchestrator.reporters.text import first_line
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test
from e2e_orchestrator.reporters.wording import REASON_WORDS, count, duration, last_sentence

_EVIDENCE = frozenset({"report", "stacks", "coverage-data"})
_MARKS = {Status.PASSED: "✅", Status.FAILED: "❌", Status.SKIPPED: "⚪"}
_LEVELS = ((50, 40, 50), (25, 20, 25), (10, 10, 10), (5, 3, 5), (0, 0, 0))
_PHASES, _NAMED, _FILES, _SLOWEST = 100, 10, 10, 5


def summary(run: RunState, *, environ: Mapping[str, str], budget: int, link: bool = True) -> str:
    """At most ``budget`` bytes: fewer groups, lines and names until it fits.

    With ``link`` the files of the output folder are linked, from the page's place in it.
    """
    page = ""
    for groups, lines, names in _LEVELS:
        parts = (
            _head(run, place(environ)),
            _compared(run),
            _phases(run),
            _gates(run),
            _services(run),
            _groups(run, most=groups, lines=lines, link=link),
            _flaky(run, most=names),
            _kept(run, most=names, link=link),
            _not_run(run, most=names),
            _slowest(run) if names else "",
            _foot(run, place(environ)),
        )
        page = "\n\n".join(part for part in parts if part) + "\n"
        if len(page.encode()) <= budget:
            return page
    kept = page.encode()[: max(budget - 100, 0)].decode("utf-8", "ignore").rpartition("\n")[0]
    return f"{kept}\n\n_The rest did not fit._\n"


def _head(run: RunState, where: Place) -> str:
    sentence = last_sentence(run)
    project = code(run.plan.project, limit=80) if run.plan else ""
    title = " ".join(filter(None, ("## ✅ GO" if sentence.go else "## ⛔ NO GO", project)))
    said = code(sentence.text.partition(": ")[2] or sentence.text, limit=600)
    link = f"\n\n[Open the run]({_address(where.url)})" if where.url else ""
    return f"{title}\n\n{said}{link}"


def _compared(run: RunState) -> str:
    found = comparison_of(run)
    return code(found.sentence, limit=400) if found else ""


def _phases(run: RunState) -> str:
    rows = [_phase(phase, run=run) for phase in run.phases[:_PHASES]]
    return table(("", "Phase", "Passed", "Failed", "Skipped", "Flaky", "Duration", ""), rows)


def _phase(phase: PhaseState, *, run: RunState) -> tuple[str, ...]:
    ending = end_of_phase(phase, run=run)
    statuses = [end_of_test(test, run=run).status for test in phase.tests]
    counts = [statuses.count(status) for status in (Status.PASSED, Status.FAILED, Status.SKIPPED)]
    flaky = sum(test.verdict.flaky for test in phase.tests)
    why = REASON_WORDS[ending.reason] if ending.status is Status.SKIPPED and ending.reason else ""
    return (
        _MARKS.get(ending.status, "⚪"),
        code(phase.name, limit=60),
        *(str(number) if number else "" for number in (*counts, flaky)),
        duration(ending.duration) if phase.started is not None else "",
        ", ".join(filter(None, ("" if phase.required else "optional", why))),
    )


def _gates(run: RunState) -> str:
    rows = [
        ("✅" if gate.holds else "❌", code(gate.name, limit=60), code(gate.message, limit=300))
        for gate in run.gates
    ]
    return f"### Gates\n\n{table(('', 'Gate', 'Found'), rows)}" if rows else ""


def _services(run: RunState) -> str:
    failed = [service for service in run.services.values() if service.status == "failed"]
    said = [f"- {code(one.name)}: {code(one.message or 'failed', limit=300)}" for one in failed]
    return "\n".join(["### Failed services", "", *said]) if said else ""


def _groups(run: RunState, *, most: int, lines: int, link: bool) -> str:
    groups = group(failures_of(run))
    if not groups:
        return ""
    failures, tests = sum(len(one.failures) for one in groups), {id_ for one in groups for id_ in one.tests}
    title = (
        f"### {count(failures, 'failure')} of {count(len(tests), 'test')} in {count(len(groups), 'group')}"
    )
    told = [_group(one, run=run, lines=lines, link=link) for one in groups[:most]]
    more = len(groups) - most
    return "\n\n".join([title, *told, *([f"_and {count(more, 'more group')}_"] if more > 0 else [])])


def _group(found: Group, *, run: RunState, lines: int, link: bool) -> str:
    said = [f"- {_failure(one)}" for one in found.failures[:_NAMED]]
    more = len(found.failures) - _NAMED
    files = _files([run.test(test) for test in found.tests[:_NAMED]], link=link)
    inside = [
        "\n".join([*said, *([f"- and {more} more"] if more > 0 else [])]),
        fenced(found.failures[0].message or "no message", lines=lines) if lines else "",
        files,
    ]
    head = f"<details><summary>{len(found.failures)}: {html_code(found.title)}</summary>"
    return "\n\n".join([head, *filter(None, inside), "</details>"])


def _failure(failure: Failure) -> str:
    return " ".join(filter(None, (code(failure.test), code(failure.case or "", limit=300))))


def _files(tests: Iterable[TestState], *, link: bool) -> str:
    """What these tests left behind."""
    found: dict[str, Attachment] = {}
    for test in tests:
        for attempt in test.attempts:
            if attempt.output:
                found[attempt.output.path] = Attachment(name="output.log", path=attempt.output.path)
            told = [*attempt.attachments, *(one for case in attempt.cases for one in case.attachments)]
            found.update((one.path, one) for one in told)
    shown = list(found.values())[:_FILES]
    said = [_file(one, link=link) for one in shown]
    return f"Files: {', '.join(said)}" if said else ""


def _file(file: Attachment, *, link: bool) -> str:
    """Its copy in a bucket, which is there wherever the page is read; else the file itself."""
    if file.url:
        return f"[{code(file.name)}]({_address(file.url)})"
    return f"[{code(file.name)}]({quote(file.path.encode('utf-8', 'replace'))})" if link else code(file.path)


def _flaky(run: RunState, *, most: int) -> str:
    said = [
        f"- {code(test.test.id)}: {code(first_line(test.first_error or ''), limit=300)}".rstrip(": ")
        for test in run.flaky
    ]
    return _list("Flaky", said, most=most)


def _kept(run: RunState, *, most: int, link: bool) -> str:
    """What passed tests left on purpose; the files of failed ones stand with their groups."""
    said = []
    for test in run.tests:
        names = [one.name for attempt in test.attempts for one in attempt.attachments]
        if end_of_test(test, run=run).status is not Status.FAILED and set(names) - _EVIDENCE:
            said.append(f"- {code(test.test.id)}: {_files([test], link=link)}")
    return _list("Tests that left files", said, most=most)


def _not_run(run: RunState, *, most: int) -> str:
    said = []
    for test in run.tests:
        ending = end_of_test(test, run=run)
        if ending.status is Status.SKIPPED:
            why = REASON_WORDS[ending.reason] if ending.reason else "skipped"
            said.append(f"- {code(test.test.id)}: {why}")
    return _list("Not run", said, most=most)


def _list(title: str, said: list[str], *, most: int) -> str:
    if not said:
        return ""
    more = [f"- and {len(said) - most} more"] if len(said) > most else []
    return "\n".join([f"### {title}: {len(said)}", "", *said[:most], *more])


def _slowest(run: RunState) -> str:
    slowest = run.slowest(_SLOWEST)
    if len(slowest) < 2:  # noqa: PLR2004 - the slowest of one test is no news.
        return ""
    said = [f"- {duration(test.duration)} {code(test.test.id)}" for test in slowest]
    return "\n".join(["### Slowest", "", *said])


def _foot(run: RunState, where: Place) -> str:
    facts = (("run", run.run_id), ("branch", where.branch), ("commit", (where.commit or "")[:10]))
    return " · ".join(f"{name} {code(fact, limit=100)}" for name, fact in facts if fact)


def _address(text: str) -> str:
    """Nothing in it can end the link."""
    return quote(text.encode("utf-8", "replace"), safe="/:?=&%#+,;~!$-._")
