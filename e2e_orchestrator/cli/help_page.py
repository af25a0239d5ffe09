"""The page that ``e2e-orchestrate --help`` shows: short enough to be read, in the order of the questions."""

from e2e_orchestrator.cli.commands import COMMANDS

_OPENING = """\
Usage: e2e-orchestrate [COMMAND] [OPTIONS]

Runs the pytest and Playwright suites that phases.yaml names, phase by phase, against the real
stack, and says by its exit code whether the release may go.

Examples:
  e2e-orchestrate                                   run every phase
  e2e-orchestrate --phase health backend_smoke      run two of them, in the file's order
  e2e-orchestrate --test 'checkout*' --retries 0    run some tests, each of them once
  e2e-orchestrate plan                              show what would run, and run nothing

Commands:
"""

_REST = """
Options that are used most (all of them: e2e-orchestrate run --help):
  --phase NAME...       only these phases; `all` is every phase
  --test GLOB...        only tests whose name, or phase/name, matches
  --tag TAG...          only tests with one of these tags
  -c, --config PATH     the file that says what to run (phases.yaml)
  --workers N|auto      tests at once (one for each processor)
  --retries N           retries of every failed test, whatever the file says
  --timeout DURATION    limit of the whole run, such as 90s, 10m, 1h30m (10m)
  --report NAME...      reporters (console, json)
  --output FOLDER       where results go (./test-results)
  -v, -q                say more, or only what failed
  --version, -h         the version; this page
Each has a variable of its own, such as E2E_ORCHESTRATE_PHASE="health backend_smoke".

Exit codes:
  0  go: every required phase passed          1  a required phase failed
  2  wrong command line or phases.yaml        3  tests passed, but a gate did not hold
  4  nothing was selected                     5  a service, a tool or a report is missing
  6  refused: a target looks like production  70  a bug of ours, with a crash log
  130, 143  interrupted; reports are written

Next: `e2e-orchestrate validate` checks your phases.yaml; every COMMAND has a --help of its own.
"""


def text() -> str:
    width = max(map(len, COMMANDS))
    return (
        _OPENING + "".join(f"  {name:<{width}}  {entry.help}\n" for name, entry in COMMANDS.items()) + _REST
    )
