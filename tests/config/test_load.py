"""What phases.yaml may look like, and what is said when it does not."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e_orchestrator.config.load import MAX_BYTES, load_config
from e2e_orchestrator.config.nodes import MAX_DEPTH
from e2e_orchestrator.errors import ConfigError, UsageError

RUNNERS = "runners: {r: {kind: command}}\n"
PHASE_A = "{name: a, runner: r, tests: {t: x}}"
PHASES = "phases: [{name: p, runner: r, tests: {t: 'true'}}]\n"
VALID = RUNNERS + PHASES


def load(folder: Path, text, **environ):
    path = folder / "phases.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config(path, environ=environ)


def mistakes(folder: Path, text, **environ) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(folder, text, **environ)
    prefix = f"{folder / 'phases.yaml'}:"
    assert all(mistake.startswith(prefix) for mistake in refused.value.mistakes)
    return [mistake.removeprefix(prefix) for mistake in refused.value.mistakes]


def test_the_example_of_the_contract_is_read_with_all_its_defaults(tmp_path):
    config = load(
        tmp_path,
        """\
version: 1
project: streamer-studio
retries: {max: 2, delay: 5s}
env:
  API_URL: ${API_URL:-http://localhost:8000}
  PORT: 8000
runners:
  backend:  {kind: pytest, cwd: ., python: .venv/bin/python, args: [-q]}
services:
  db: {command: "redis-server --port 1", ready: {tcp: "localhost:1", timeout: 5s}}
phases:
  - name: health
    runner: backend
    timeout: 60s
    tests:
      api_health: tests/test_api_health.py
      redis_health: {target: tests/test_redis_health.py, timeout: 20s, retries: 0, tags: [infra]}
  - {name: more, runner: backend, required: no, parallel: off, tests: [tests/test_more.py]}
""",
        API_URL="http://api",
    )
    model = config.model
    health, more = model.phases
    assert (model.project, model.timeout, model.workers) == ("streamer-studio", 600.0, None)
    assert model.report == ("console", "json")
    assert model.env == {"API_URL": "http://api", "PORT": "8000"}
    assert (model.retries.max, model.retries.delay, model.retries.factor) == (2, 5.0, None)
    assert model.services["db"].command == ("redis-server", "--port", "1")
    assert (health.timeout, health.parallel, health.required) == (60.0, True, True)
    assert health.tests["api_health"].target == "tests/test_api_health.py"
    assert health.tests["redis_health"].retries.max == 0
    assert (more.required, more.parallel, more.tests) == (False, False, ("tests/test_more.py",))
    assert config.root == tmp_path.resolve()


@pytest.mark.parametrize(("said", "variable"), [("true", "E2E_SLOT_DIR"), ("DATA", "DATA"), ("false", "")])
def test_a_slots_folder_is_named_by_a_variable(tmp_path, said, variable):
    text = VALID.replace("kind: command", f"kind: command, isolation: {{directory: {said}}}")
    assert load(tmp_path, text).model.runners["r"].isolation.directory == variable


SCALARS = {
    "a whole number keeps its text": ("5432", "5432"),
    "a version number keeps its zero": ("1.10", "1.10"),
    "what YAML 1.1 calls octal stays text": ("012", "012"),
    "what YAML 1.1 calls sexagesimal stays text": ("22:22", "22:22"),
    "a date stays text": ("2026-01-02", "2026-01-02"),
    "a quoted switch is text": ('"no"', "no"),
    "an empty text": ('""', ""),
    "a variable that looks like a switch is text": ("${V}", "no"),
    "a variable that is empty is text": ("${NOTHING:-}", ""),
    "two dollars are one": ("$$5", "$5"),
    "several lines": ("|\n    a\n    b", "a\nb\n"),
}


@pytest.mark.parametrize(("written", "value"), SCALARS.values(), ids=SCALARS.keys())
def test_in_an_environment(tmp_path, written, value):
    assert load(tmp_path, f"env:\n  A: {written}\n{VALID}", V="no").model.env == {"A": value}


def test_variables_give_numbers_switches_and_durations_where_these_are_wanted(tmp_path):
    text = """\
timeout: ${T:-60}
workers: ${W:-3}
retries: ${R:-1}
runners: {r: {kind: command}}
phases:
  - name: p
    runner: r
    required: ${Q:-true}
    timeout: "${P}"
    retries: {max: 0, delay: 5}
    tests: {t: x}
"""
    model = load(tmp_path, text, P="5m", Q="false").model
    assert (model.timeout, model.workers, model.retries.max) == (60.0, 3, 1)
    assert (model.phases[0].required, model.phases[0].timeout) == (False, 300.0)


def test_merge_keys_aliases_and_top_level_extensions_work(tmp_path):
    text = """\
x-defaults: &defaults {runner: r, timeout: 5s, required: false}
x-more: &more {required: true, parallel: false}
runners: {r: {kind: command}}
phases:
  - {<<: *defaults, name: a, timeout: 7s, tests: {t: x}}
  - {<<: [*more, *defaults], name: b, tests: {t: x}}
"""
    first, second = load(tmp_path, text).model.phases
    assert (first.timeout, first.required) == (7.0, False)
    assert (second.timeout, second.required, second.parallel) == (5.0, True, False)


def test_a_byte_order_mark_windows_line_ends_and_unicode_are_fine(tmp_path):
    text = "\ufeffproject: Grüße 🎬\r\n" + VALID.replace("\n", "\r\n")
    assert load(tmp_path, text.encode()).model.project == "Grüße 🎬"


MISTAKES = {
    "an unknown key, with the near one": (
        "retires: 2\n" + VALID,
        ["1:1: retires: unknown key (hint: did you mean `retries`?)"],
    ),
    "an unknown key far from all, with all of them": (
        "runners: {r: {kind: command, zzz: 1}}\n" + PHASES,
        [
            (
                "1:30: runners.r.zzz: unknown key (hint: known here: kind, cwd, python, json_report, pack, warm, "
                "slot_databases, keepdb, slot_caches, args, env, tests, isolation, coverage)"
            )
        ],
    ),
    "an unknown key of a test, without the words of a library": (
        RUNNERS + "phases:\n  - name: p\n    runner: r\n    tests: {t: {target: x, timeot: 5s}}",
        ["5:28: phases.p.tests.t.timeot: unknown key (hint: did you mean `timeout`?)"],
    ),
    "a missing key": (
        RUNNERS + "phases:\n  - name: p\n    tests: {t: x}",
        ["3:5: phases.p.runner: is missing"],
    ),
    "everything that is missing": (
        "version: 1",
        ["1:1: phases: is missing", "1:1: runners: is missing"],
    ),
    "another version": (
        "version: 2\n" + VALID,
        ["1:10: version: must be 1, the only version there is, not `2`"],
    ),
    "a list for a mapping": (
        "env: [a]\n" + VALID,
        [
            "1:6: env: must be a mapping, not a list (hint: write `key: value` lines, indented below it)",
        ],
    ),
    "text for a list": (
        "runners: {r: {kind: command, args: -q}}\n" + PHASES,
        [
            (
                "1:36: runners.r.args: must be a list, not text "
                "(hint: write [one, two], or one line with a dash for each)"
            )
        ],
    ),
    "a bad duration": (
        "timeout: 5x\n" + VALID,
        ["1:10: timeout: `5x` is not a duration (hint: write seconds (90) or 250ms, 90s, 5m, 1h30m)"],
    ),
    "a bad duration from a variable, without its value": (
        "timeout: ${SECRET}\n" + VALID,
        ["1:10: timeout: `${SECRET}` is not a duration (hint: write seconds (90) or 250ms, 90s, 5m, 1h30m)"],
    ),
    "a switch in an environment, with the quotes": (
        "env: {A: no}\n" + VALID,
        ['1:10: env.A: must be text, but `no` means false (hint: write "no")'],
    ),
    "nothing in an environment": (
        "env: {A: }\n" + VALID,
        ['1:10: env.A: must be text, but nothing stands here (hint: write "" for an empty text)'],
    ),
    "a list in an environment": ("env: {A: [s3cret]}\n" + VALID, ["1:10: env.A: must be text, not a list"]),
    "a quoted switch": (
        RUNNERS + "phases: [{name: p, runner: r, required: 'true', tests: {t: x}}]",
        ['2:41: phases.p.required: must be true or false, not the text "true"'],
    ),
    "a negative number of retries": (
        "retries: -1\n" + VALID,
        ["1:10: retries: must be from 0 to 1000, not `-1`"],
    ),
    "a key twice": (
        "timeout: 5s\ntimeout: 6s\n" + VALID,
        ["2:1: timeout: is written twice; it stands in line 1 already"],
    ),
    "a test twice": (
        RUNNERS + "phases:\n  - name: p\n    runner: r\n    tests:\n      t: x\n      t: y",
        ["7:7: phases.p.tests.t: is written twice; it stands in line 6 already"],
    ),
    "a phase twice": (
        RUNNERS + "phases:\n- {name: p, runner: r, tests: {t: x}}\n- {name: p, runner: r, tests: {t: x}}",
        ["4:10: phases.p.name: a phase above has the same name (hint: names are unique)"],
    ),
    "an unknown runner": (
        "runners: {backend: {kind: pytest}}\nphases: [{name: p, runner: backnd, tests: {t: x}}]",
        ["2:28: phases.p.runner: there is no runner `backnd` (hint: did you mean `backend`?)"],
    ),
    "a need that does not exist": (
        f"{RUNNERS}phases:\n- {PHASE_A}\n- {{name: b, needs: [a, aa], runner: r, tests: {{t: x}}}}",
        ["4:24: phases.b.needs[1]: there is no phase `aa` (hint: did you mean `a`?)"],
    ),
    "a phase that needs itself": (
        f"{RUNNERS}phases:\n- {PHASE_A}\n- {{name: b, needs: [b], runner: r, tests: {{t: x}}}}",
        ["4:21: phases.b.needs[0]: a phase cannot wait for itself (hint: leave it out)"],
    ),
    "phases that need each other": (
        (
            f"{RUNNERS}phases:\n- {{name: b, needs: [c], runner: r, tests: {{t: x}}}}\n"
            f"- {PHASE_A}\n- {{name: c, needs: [a], runner: r, tests: {{t: x}}}}"
        ),
        [
            (
                "3:21: phases.b.needs[0]: the phases would wait for each other: `b` needs `c` needs `a` needs `b` "
                "(hint: a phase without `needs` needs all above it)"
            )
        ],
    ),
    "needs that are no list": (
        f"{RUNNERS}phases:\n- {{name: b, needs: c, runner: r, tests: {{t: x}}}}",
        [
            (
                "3:20: phases.b.needs: must be a list, not text "
                "(hint: write [one, two], or one line with a dash for each)"
            )
        ],
    ),
    "an undefined variable": (
        "env: {A: '${TOKEN}'}\n" + VALID,
        [
            (
                "1:10: env.A: the variable TOKEN is not defined "
                "(hint: set TOKEN, or give it a default: ${TOKEN:-default})"
            )
        ],
    ),
    "an undefined variable where a number is wanted, once": (
        "retries: ${N}\n" + VALID,
        ["1:10: retries: the variable N is not defined (hint: set N, or give it a default: ${N:-default})"],
    ),
    "no phases": (RUNNERS + "phases: []", ["2:9: phases: must not be empty"]),
    "no tests": (
        RUNNERS + "phases: [{name: p, runner: r, tests: []}]",
        ["2:38: phases.p.tests: must not be empty"],
    ),
    "tests of a wrong kind": (
        RUNNERS + "phases: [{name: p, runner: r, tests: 5}]",
        [
            (
                "2:38: phases.p.tests: must be a mapping (name: target), a list, or auto, not `5` "
                "(hint: write `name: path/to/test_file.py` below it)"
            )
        ],
    ),
    "a phase that is text": (
        RUNNERS + "phases: [smoke]",
        ["2:10: phases[0]: must be a mapping, not text (hint: write `key: value` lines, indented below it)"],
    ),
    "a phase with a slash": (
        RUNNERS + "phases: [{name: a/b, runner: r, tests: {t: x}}]",
        ["2:17: phases.a/b.name: a phase's name holds no slash: `phase/test` names a test"],
    ),
    "a test whose name climbs": (
        RUNNERS + "phases: [{name: p, runner: r, tests: {../t: x}}]",
        ["2:39: phases.p.tests.../t: a test's name is no path with empty parts, `.` or `..`"],
    ),
    "a target with control characters": (
        RUNNERS + 'phases: [{name: p, runner: r, tests: {t: "a\\e[31m"}}]',
        ["2:42: phases.p.tests.t: must be one line without control characters"],
    ),
    "a service that would leave the output folder": (
        VALID + "services: {../escaped: {command: x}}",
        [
            (
                "3:12: services.../escaped: a service's name holds no slash and is not only dots: "
                "its log is named after it"
            )
        ],
    ),
    "a service that is asked nothing": (
        VALID + "services: {s: {command: x, ready: {timeout: 5s}}}",
        [
            (
                "3:35: services.s.ready: needs at least one of http, tcp, redis, sql, log, command, page "
                "(hint: write ready: {http: http://localhost:8000/})"
            )
        ],
    ),
    "a detail of a question that is not asked": (
        VALID + "services: {s: {command: x, ready: {tcp: 'a:1', query: select 1}}}",
        ["3:35: services.s.ready: `query` says more about `sql`, which is not asked"],
    ),
    "a status that is none": (
        VALID + "services: {s: {command: x, ready: {http: 'http://a', status: 20}}}",
        ["3:62: services.s.ready.status: must be a status of HTTP, from 100 to 599, not `20`"],
    ),
    "a service that is two things": (
        VALID + "services: {s: {command: x, external: true, ready: {tcp: 'a:1'}}}",
        [
            (
                "3:15: services.s: needs exactly one of `command`, `compose` and `external: true`, "
                "not `command` and `external`"
            )
        ],
    ),
    "a task that is asked whether it is ready": (
        VALID + "services: {s: {command: x, task: true, ready: {tcp: 'a:1'}}}",
        [
            (
                "3:15: services.s: a `task` has a `command` and no `ready` and no `restart`: "
                "it is done when it ended with 0"
            )
        ],
    ),
    "a folder that is neither wanted nor a variable": (
        VALID.replace("kind: command", "kind: command, isolation: {directory: a b}"),
        ["1:53: runners.r.isolation.directory: must be true, false, or the name of a variable, not `a b`"],
    ),
    "an external service nobody asks": (
        VALID + "services: {s: {external: true}}",
        [
            (
                "3:15: services.s: an `external` service needs `ready` and has no `ports` and no `restart`: "
                "it is only waited for"
            )
        ],
    ),
    "services that wait for each other": (
        VALID + "services: {a: {command: x, needs: [b]}, b: {command: y, needs: [a]}}",
        [
            (
                "3:35: services.a.needs: services wait for each other: a needs b needs a "
                "(hint: say `needs: []` at the one that starts first)"
            )
        ],
    ),
    "a need that nobody meets": (
        VALID + "services: {api: {command: x, needs: [dbs]}, db: {command: y, needs: []}}",
        ["3:38: services.api.needs[0]: there is no service `dbs` (hint: did you mean `db`?)"],
    ),
    "a need of somebody who is not there yet": (
        VALID + "services: {db: {command: x, scope: slot}, api: {command: y, needs: [db]}}",
        [
            (
                "3:69: services.api.needs[0]: `db` is not there yet: its scope is slot, this one's is run "
                "(hint: a service needs services of its own scope, or of the run)"
            )
        ],
    ),
    "a need of somebody who is in fewer phases": (
        VALID
        + "services: {db: {command: x, scope: slot, phases: [p]}, api: {command: y, scope: slot, needs: [db]}}",
        [
            (
                "3:95: services.api.needs[0]: `db` is not there yet: its scope is slot in p, this one's is slot "
                "(hint: a service needs services of its own scope, or of the run)"
            )
        ],
    ),
    "a phase of a service that nobody defined": (
        VALID + "services: {db: {command: x, scope: slot, phases: [q]}}",
        ["3:51: services.db.phases[0]: there is no phase `q` (hint: defined under `phases`: p)"],
    ),
    "a service of the run that is only there in a phase": (
        VALID + "services: {db: {command: x, phases: [p]}}",
        [
            (
                "3:16: services.db: with `phases` it cannot live as long as the run "
                "(hint: write scope: phase, or slot)"
            )
        ],
    ),
    "a port that two services want": (
        VALID + "services: {a: {command: x, ports: [P]}, b: {command: y, ports: [P]}}",
        ["3:65: services.b.ports[0]: `P` is a port of `a` already (hint: every port has a name of its own)"],
    ),
    "a port of somebody who is not there yet": (
        VALID + "services: {a: {command: 'x ${port}', scope: slot}, b: {command: 'y ${A_PORT}'}}",
        [
            (
                "3:65: services.b.command: the port `A_PORT` of `a` is not there yet: its scope is slot, "
                "this one's is run (hint: a service needs services of its own scope, or of the run)"
            )
        ],
    ),
    "a port outside of a service": (
        VALID + "env: {A: 'http://localhost:${port}'}",
        [
            (
                "3:10: env.A: the variable port is not defined "
                "(hint: set port, or give it a default: ${port:-default})"
            )
        ],
    ),
    "a service that asks nobody": (
        VALID + "services: {s: {command: x, ready: {tcp: '5432'}}}",
        ["3:41: services.s.ready.tcp: must be host:port, such as localhost:5432"],
    ),
    "a command with an open quote": (
        VALID + 'services: {s: {command: "a \'b"}}',
        [
            (
                "3:25: services.s.command: cannot be split into words: No closing quotation "
                "(hint: close the quotes, or wrap the line in: sh -c '…')"
            )
        ],
    ),
    "a command for a shell": (
        VALID + "services: {s: {command: a && b}}",
        [
            (
                "3:25: services.s.command: `&&` means something to a shell, and none reads this: it would be an "
                "argument (hint: wrap the line in: sh -c '…'; or quote `&&` if it is one)"
            )
        ],
    ),
    "a merge of something else": (
        "env: {<<: 5, A: b}\n" + VALID,
        ["1:7: env.<<: must be an alias of a mapping, or a list of such aliases"],
    ),
    "a key that is a list": (
        "env: {[a]: b}\n" + VALID,
        ["1:7: env: a key must be text, not a list or a mapping"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_it_says_of(tmp_path, text, expected):
    assert mistakes(tmp_path, text, SECRET="hunter2") == expected


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path):
    found = mistakes(tmp_path, f"timeout: x\nenv: {{A: no, B: '${{B}}'}}\nretires: 1\n{RUNNERS}phases: []\n")
    assert [line.split(": ")[1] for line in found] == ["timeout", "env.A", "env.B", "retires", "phases"]


def test_nobody_reads_a_thousand_mistakes(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, VALID + "".join(f"key{number}: 1\n" for number in range(1000)))
    assert len(refused.value.mistakes) == 201
    assert refused.value.mistakes[-1].endswith("phases.yaml: and 800 more")


def test_a_mistake_behind_an_alias_is_said_once_where_it_is_written(tmp_path):
    text = "x: &e {A: no}\n".replace("x:", "x-env:") + (
        "runners: {r: {kind: command, env: *e}}\nphases: [{name: p, runner: r, env: *e, tests: {t: x}}]"
    )
    (mistake,) = mistakes(tmp_path, text)
    assert mistake.startswith("1:15: runners.r.env.A: must be text, but `no` means false")


def test_no_value_of_an_environment_shows_in_any_message(tmp_path):
    text = "env: {A: [hunter2], B: {C: hunter2}, D: no, E: ${S}x{}}\nservices: hunter2\n" + VALID
    assert "hunter2" not in "\n".join(mistakes(tmp_path, text, S="hunter2"))
    assert "hunter2" not in "\n".join(mistakes(tmp_path, "env: hunter2\n" + VALID))


HOSTILE = {
    "an empty file": ("", "1:1: the file is empty"),
    "a file of comments": ("# nothing\n", "1:1: the file is empty"),
    "a list at the top": ("- a\n", "1:1: the file must be a mapping of keys"),
    "text at the top": ("hello\n", "1:1: the file must be a mapping of keys"),
    "two documents": ("a: 1\n---\nb: 2\n", "2:1: a second document starts here"),
    "a tab": ("env:\n\tA: b\n", "2:1: is no valid YAML: "),
    "an open bracket": ("env: [a\n", "2:1: is no valid YAML: "),
    "a variable in braces without quotes": ("env: {A: ${B}}\n", 'a variable needs quotes: "${NAME}"'),
    "an unknown anchor": ("env: *nothing\n", "1:6: no anchor &nothing stands above"),
    "a cycle": ("env: &a {A: *a}\n", "1:13: *a contains itself"),
    "a Python object": (
        "env: !!python/object:os.system x\n",
        "1:6: the tag !!python/object:os.system has no meaning",
    ),
    "deep nesting": ("env: " + "[" * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
    "deep nesting in blocks": ("\n".join(" " * n + "a:" for n in range(900)), "nested deeper than"),
    "no UTF-8": (b"env: {A: \xff}\n", "1:10: is not UTF-8: byte 0xff"),
    "a NUL": ("env: {A: \0}\n", "1:10: the character U+0000 is not allowed in YAML"),
    "an escape of the terminal": ("a: 1\nb: \x1b[31m\n", "2:4: the character U+001B is not allowed in YAML"),
    "a million laughs": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{c}: &{c} [{','.join([f'*{p}'] * 10)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "holds more than 500,000 values, aliases counted",
    ),
    "a tower of aliases": (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100)),
        f"nested deeper than {MAX_DEPTH} levels",
    ),
    "too many bytes": (b"#" * (MAX_BYTES + 1), "1:1: is larger than 1 MiB"),
}


@pytest.mark.parametrize(("text", "says"), HOSTILE.values(), ids=HOSTILE.keys())
def test_it_refuses(tmp_path, text, says):
    found = mistakes(tmp_path, text)
    assert len(found) == 1
    assert says in found[0]


def test_a_missing_file_says_how_to_name_another(tmp_path):
    with pytest.raises(UsageError) as refused:
        load_config(tmp_path / "phases.yaml", environ={})
    assert refused.value.exit_code == 2
    assert "no such file" in refused.value.message
    assert "--config" in str(refused.value.hint)


def test_a_folder_says_which_file_is_in_it(tmp_path):
    (tmp_path / "phases.yaml").write_text(VALID)
    with pytest.raises(UsageError) as refused:
        load_config(tmp_path, environ={})
    assert f"--config {tmp_path / 'phases.yaml'}" in str(refused.value.hint)


def test_every_value_knows_its_place(tmp_path):
    config = load(tmp_path, RUNNERS + "phases:\n  - name: p\n    runner: r\n    tests:\n      t: x\n")
    path = tmp_path / "phases.yaml"
    assert config.where("phases", 0, "tests", "t") == f"{path}:6:10"
    assert config.where("phases", 0, "tests", "t", "target") == f"{path}:6:10"
    assert config.where("env", "A") == f"{path}:1:1"


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet="abp:-[]{}&*!|>'\"#%@,?<$ \n\t~19é\x00\x1b", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(tmp_path, text):
    with suppress(ConfigError):
        load(tmp_path, text)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.sampled_from(["x", "no", "~", "5", "'5s'", "1.5", "${V}", "${V:-1}"]),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
            st.dictionaries(st.sampled_from(["name", "target", "env", "max", "http"]), inner, max_size=3).map(
                lambda table: "{" + ", ".join(f"{key}: {value}" for key, value in table.items()) + "}"
            ),
        ),
        max_leaves=6,
    ),
    st.sampled_from(["timeout", "retries", "env", "runners", "phases", "services", "report", "project"]),
)
def test_any_value_anywhere_is_accepted_or_refused_with_a_place(tmp_path, value, key):
    lines = [line for line in VALID.splitlines() if not line.startswith(key)]
    with suppress(ConfigError):
        load(tmp_path, "\n".join([f"{key}: {value}", *lines]), V="1")
