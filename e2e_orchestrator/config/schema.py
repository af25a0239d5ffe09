"""The models of phases.yaml. Their field descriptions are what editors show while one types."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from e2e_orchestrator.config.artifacts import Artifacts, ArtifactsField
from e2e_orchestrator.config.fields import (
    Condition,
    Count,
    Duration,
    Env,
    Factor,
    Failures,
    Globs,
    Kept,
    Limit,
    Line,
    Name,
    PhaseName,
    Rules,
    ServiceName,
    Share,
    Size,
    Switch,
    TestName,
    Text,
    VariableName,
    Workers,
    choice,
)
from e2e_orchestrator.config.gates import Measured, PhaseGates, RunGates
from e2e_orchestrator.config.isolation import Isolation
from e2e_orchestrator.config.model import Model
from e2e_orchestrator.config.safeguards import SafeguardRules
from e2e_orchestrator.config.services import CommandLine, Service
from e2e_orchestrator.config.values import Refused
from e2e_orchestrator.model.plan import (
    FlakyPolicy,
    LeakPolicy,
    Order,
    Packing,
    RetryStrategy,
    Split,
    Warm,
)


class Retries(Model):
    """How often a failed test is tried again, and how long to wait. What is left out is inherited."""

    max: Count | None = Field(default=None, description="Extra attempts after the first; default 2.")
    delay: Duration | None = Field(default=None, description="Wait before the first retry; default 5s.")
    factor: Factor | None = Field(
        default=None, description="Each wait is the one before times this; default 1."
    )
    max_delay: Duration | None = Field(default=None, description="No wait is longer than this; default 60s.")
    jitter: Share | None = Field(
        default=None, description="Share of a wait, 0 to 1, taken off at random; default 0."
    )
    strategy: Annotated[RetryStrategy, choice(RetryStrategy)] | None = Field(
        default=None,
        description="immediate (default); end_of_phase; isolated: alone, after everything else of the phase.",
    )
    only_on: Rules | None = Field(
        default=None, description="Retry only failures with one of these reasons or matching messages."
    )
    never_on: Rules | None = Field(default=None, description="Never retry these; wins over only_on.")


class RunRetries(Retries):
    """Retries of the whole run: what holds for every test, and what all of them share."""

    budget: Count | None = Field(default=None, description="At most this many retries in a run.")
    breaker: Count | None = Field(
        default=None, description="No retry any more once more tests than this have failed."
    )


class Policies(Model):
    """What is said at the file, and may be said otherwise at a phase or a test."""

    flaky: Annotated[FlakyPolicy, choice(FlakyPolicy)] | None = Field(
        default=None,
        description="A pass after a failure: allow, warn (default), or fail: exit code 3. Always shown.",
    )
    leaks: Annotated[LeakPolicy, choice(LeakPolicy)] | None = Field(
        default=None, description="Processes that a test leaves behind: warn (default), or fail the test."
    )
    slow_after: Duration | None = Field(
        default=None, description="Say so when a test runs longer, again and again; default 60s; 0: never."
    )
    stall_after: Duration | None = Field(
        default=None, description="End a test that prints and reports nothing for so long; default 0: never."
    )
    exit_after: Duration | None = Field(
        default=None,
        description="End a process that stays so long after its session finished; default 60s; 0: never.",
    )


def _retries(value: Any) -> Any:
    return value if isinstance(value, dict | Retries) else {"max": value}


def _test(value: Any) -> Any:
    return value if isinstance(value, dict | TestDetails) else {"target": value}


RetriesField = Annotated[Retries, BeforeValidator(_retries, json_schema_input_type=Count | Retries)]
RunRetriesField = Annotated[RunRetries, BeforeValidator(_retries, json_schema_input_type=Count | RunRetries)]


class TestDetails(Policies):
    """A test and what is special about it."""

    __test__ = False

    target: Line = Field(
        description="What the runner takes: a file, folder, node id or spec, relative to the test's folder."
    )
    cwd: Line | None = Field(default=None, description="Folder to run in; default: the runner's.")
    timeout: Limit | None = Field(default=None, description="Limit of one attempt; default: the phase's.")
    retries: RetriesField | None = Field(
        default=None, description="Overrides the phase's; `2` means `{max: 2}`."
    )
    tags: tuple[Name, ...] = Field(default=(), description="Words that `--tag` selects by.")
    env: Env = Field(default={}, description="Added to the phase's environment.")
    args: tuple[Text, ...] = Field(default=(), description="Added after the runner's arguments.")
    isolation: Isolation | None = Field(
        default=None, description="What its slot owns alone; default: the phase's."
    )
    artifacts: Globs = Field(default=(), description="Files that an attempt keeps, beside the phase's.")
    when: Condition | None = Field(
        default=None,
        description="Skips the test if this is empty, 0, no, off, false, or a comparison that fails.",
    )


TestField = Annotated[TestDetails, BeforeValidator(_test, json_schema_input_type=Line | TestDetails)]
TestTable = dict[TestName, TestField]


class Runner(Model):
    """A tool that runs tests, and how to call it."""

    kind: Name = Field(
        description="Which runner this is: pytest, playwright, django, command or one that is installed."
    )
    cwd: Line = Field(default=".", description="Folder its tests run in, relative to this file's.")
    python: Line | None = Field(
        default=None,
        description="Interpreter for pytest and Django; with a slash it is relative to this file's folder.",
    )
    json_report: Switch = Field(
        default=True,
        description="pytest: write <test>.json, which needs pytest-json-report beside pytest; default true.",
    )
    pack: Annotated[Packing, choice(Packing)] = Field(
        default=Packing.AUTO,
        description="playwright: auto (default): one call carries tests that can share it; off: a call each.",
    )
    warm: Annotated[Warm, choice(Warm)] = Field(
        default=Warm.AUTO,
        description="pytest: fork attempts from a process that has imported pytest: auto (default), on or off.",
    )
    slot_databases: Switch = Field(
        default=True,
        description="Django: test databases of its own for each slot; false: Django's names, shared by all.",
    )
    keepdb: Switch = Field(
        default=False, description="Django: the slots' test databases outlive the run, for the next one."
    )
    slot_caches: Switch = Field(
        default=False, description="Django: a key prefix for each slot in every cache, such as one on Redis."
    )
    args: tuple[Text, ...] = Field(default=(), description="Arguments for every call.")
    env: Env = Field(default={}, description="Added to the environment of its tests.")
    tests: TestTable = Field(default={}, description="Tests that phases may name in their lists.")
    isolation: Isolation | None = Field(
        default=None, description="What the slots of its tests own alone; default: nothing."
    )
    coverage: Measured | None = Field(default=None, description="How its tests are measured.")


def _kind_of_tests(value: Any) -> str | None:
    if isinstance(value, dict):
        return MAPPING_TAG
    if isinstance(value, str) and value == AUTO:
        return AUTO_TAG
    return LIST_TAG if isinstance(value, list | tuple) else None


# Pydantic puts these into the path of an error; no key of the file can hold the first character.
MAPPING_TAG, LIST_TAG, AUTO_TAG = "\0mapping", "\0list", "\0auto"
AUTO = "auto"

TestsField = Annotated[
    Annotated[TestTable, Field(min_length=1), Tag(MAPPING_TAG)]
    | Annotated[tuple[Line, ...], Field(min_length=1), Tag(LIST_TAG)]
    | Annotated[Literal["auto"], BeforeValidator(str), Tag(AUTO_TAG)],
    Discriminator(_kind_of_tests),
]


class Phase(Policies):
    """A named step of the run: its tests, its runner, and whether it must pass."""

    name: PhaseName = Field(description="What `--phase` and every report call it.")
    runner: Name = Field(description="One of the names under `runners`.")
    tests: TestsField = Field(
        description="Names and targets; a list of names from the runner's `tests`, of paths and of globs; or "
        "auto: what a Django project has."
    )
    split: Annotated[Split, choice(Split)] | None = Field(
        default=None, description="With `tests: auto`: a test for each app (default) or each module."
    )
    when: Condition | None = Field(
        default=None,
        description="Skips its tests if this is empty, 0, no, off, false, or a comparison that fails.",
    )
    description: Text | None = Field(default=None, description="A sentence for whoever reads the plan.")
    parallel: Switch = Field(
        default=True,
        description="false: one test after the other, ending at the first that fails; default true.",
    )
    required: Switch = Field(
        default=True, description="false: a failure is reported and gates nothing; default true."
    )
    needs: tuple[PhaseName, ...] | None = Field(
        default=None,
        description="Phases that are finished before this one starts; default: all above it. []: none.",
    )
    timeout: Limit = Field(default=120.0, description="Limit of the whole phase; default 120s.")
    retries: RetriesField | None = Field(
        default=None, description="Overrides the file's; `2` means `{max: 2}`."
    )
    tags: tuple[Name, ...] = Field(default=(), description="Tags of each of its tests.")
    env: Env = Field(default={}, description="Added to the runner's environment.")
    isolation: Isolation | None = Field(
        default=None, description="What the slots of its tests own alone; default: the runner's."
    )
    artifacts: Globs = Field(default=(), description="Files that each attempt keeps, beside the file's.")
    gates: PhaseGates | None = Field(default=None, description="What the phase has to come up to.")


class Database(Model):
    """What clones are made of, by the variable in which tests find its address."""

    url: Line | None = Field(
        default=None,
        description="Address of the base; default: the variable's value in the test's environment.",
    )
    sql: Line | None = Field(
        default=None, description="File that builds the schema in an empty database, instead of a base."
    )
    migrate: CommandLine = Field(
        default=(), description="Command that builds the schema; finds its database in the variable."
    )
    schema_files: tuple[Line, ...] = Field(
        default=(),
        description="Files and globs that the schema depends on: what was built is kept until one changes.",
    )


class Keep(Model):
    """How many earlier runs stay in the output folder; a run stays as long as every limit allows it."""

    runs: Kept = Field(
        default=20, description="At most so many, this one included; default 20; or unlimited."
    )
    days: Kept = Field(default=30, description="None older than so many days; default 30; or unlimited.")
    size: Size = Field(
        default=None, description="All of them together, such as 500MiB or 1GiB; default unlimited."
    )


def _version(value: Any) -> int:
    if str(value) != "1":
        raise Refused("must be 1, the only version there is, not {found}")
    return 1


class Config(Policies):
    """Which tests run, in which phases, with which runners, against which services.

    Keys that start with `x-` are ignored: they may hold anchors for aliases further down.
    """

    model_config = ConfigDict(
        title="phases.yaml", json_schema_extra={"patternProperties": {"^x-": {"description": "Ignored."}}}
    )

    version: Annotated[int, BeforeValidator(_version), WithJsonSchema({"const": 1})] = Field(
        default=1, description="Of this format: 1."
    )
    project: Name | None = Field(default=None, description="Name in reports; default: the folder's.")
    timeout: Limit = Field(default=600.0, description="Limit of the whole run; default 10m.")
    workers: Workers = Field(default=None, description="Tests at once; default auto: one for each processor.")
    max_failures: Failures | None = Field(
        default=None,
        description="Start nothing more after so many failed tests; `3:immediate` also ends those that run.",
    )
    order: Annotated[Order, choice(Order)] = Field(
        default=Order.LONGEST,
        description="Which tests of a parallel phase start first: longest (default, once known), or file.",
    )
    durations: Line | None = Field(
        default=None,
        description="Where durations are remembered; default durations.json in the output folder.",
    )
    retries: RunRetriesField = Field(
        default_factory=RunRetries, description="For every test; `2` means `{max: 2}`."
    )
    secrets: tuple[Line, ...] = Field(
        default=(), description="Variables whose values are masked, beside those whose names look secret."
    )
    env: Env = Field(
        default={},
        description="Environment of every child; ${NAME}, ${NAME:-default}, ${NAME:?message}; $$ is $.",
    )
    report: tuple[Line, ...] = Field(
        default=("console", "json"), min_length=1, description="Reporters: `name`, or `name=path` for a file."
    )
    output: Line | None = Field(default=None, description="Folder of the results; default ./test-results.")
    artifacts: ArtifactsField = Field(
        default_factory=Artifacts,
        description="What is kept; a list means `{collect: …}`, an `s3://…` means `{store: …}`.",
    )
    gates: RunGates | None = Field(default=None, description="What the run has to come up to.")
    keep: Keep = Field(default_factory=Keep, description="How many earlier runs stay in the output folder.")
    runners: dict[Name, Runner] = Field(min_length=1, description="The tools that run tests, by name.")
    services: dict[ServiceName, Service] = Field(
        default={}, description="What the tests need while they run, by name."
    )
    databases: dict[VariableName, Database] = Field(
        default={}, description="What clones are made of, by variable; default: DATABASE_URL and REDIS_URL."
    )
    safeguards: SafeguardRules = Field(
        default_factory=SafeguardRules,
        description="Which targets no test may touch, and the exceptions.",
    )
    phases: tuple[Phase, ...] = Field(min_length=1, description="The steps of the run, in their order.")
