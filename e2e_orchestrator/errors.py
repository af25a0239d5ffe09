"""Every error this program raises on purpose, each with the exit code it ends a run with.

    OrchestratorError
    ├── UsageError            2   the command line asks for something that does not exist
    │   ├── ConfigError       2   phases.yaml is wrong; carries every mistake, not just the first
    │   └── NowhereToReport   2   a reporter has no address here; only an error if it was asked for
    ├── NothingToRun          4   the selection matched no test
    ├── InfrastructureError   5   a service, a tool or a folder that the run needs is not there
    └── SafeguardRefused      6   a target looks like production

Anything else that reaches the command line is a bug of ours: exit code 70 and a crash log.
"""

from collections.abc import Sequence


class OrchestratorError(Exception):
    """What is wrong and where, with a hint that says what to type next."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(OrchestratorError):
    exit_code = 2


class ConfigError(UsageError):
    """All mistakes of one configuration file, each a complete line of text."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class NowhereToReport(UsageError):  # noqa: N818 - named after what is missing.
    """A reporter lacks what this place would have to offer: an address to post to, or a CI server.

    ``elsewhere`` is true of one that means nothing here: nobody who finds it in a file's list misses it.
    """

    def __init__(self, message: str, *, hint: str, elsewhere: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.elsewhere = elsewhere


class NothingToRun(OrchestratorError):  # noqa: N818 - it is a verdict on the selection, not a fault.
    exit_code = 4


class InfrastructureError(OrchestratorError):
    exit_code = 5


class SafeguardRefused(OrchestratorError):  # noqa: N818 - named after what happened.
    exit_code = 6
