"""Django's own ``test``, which also knows its --testrunner as --runner."""

from django.core.management.commands.test import Command as TestCommand

_OURS, _DJANGOS = "--runner", "--testrunner"


class Command(TestCommand):
    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv([_renamed(word) for word in argv])


def _renamed(word: str) -> str:
    return _DJANGOS + word.removeprefix(_OURS) if word == _OURS or word.startswith(f"{_OURS}=") else word
