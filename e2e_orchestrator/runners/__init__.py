"""One file per kind of test, and the table that names them; ``plugins`` loads an entry when it is asked for."""

BUILTIN: dict[str, str] = {
    "pytest": "e2e_orchestrator.runners.pytest:PytestRunner",
    "playwright": "e2e_orchestrator.runners.playwright:PlaywrightRunner",
    "django": "e2e_orchestrator.runners.django:DjangoRunner",
    "command": "e2e_orchestrator.runners.command:CommandRunner",
}
