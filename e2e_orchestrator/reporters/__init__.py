"""One file for each report, and the table of those that come with the program."""

BUILTIN: dict[str, str] = {
    "console": "e2e_orchestrator.reporters.console:ConsoleReporter",
    "html": "e2e_orchestrator.reporters.html:HtmlReporter",
    "json": "e2e_orchestrator.reporters.json:JsonReporter",
    "slack": "e2e_orchestrator.reporters.slack:SlackReporter",
}
