"""One file for each report, and the table of those that come with the program."""

BUILTIN: dict[str, str] = {
    "console": "e2e_orchestrator.reporters.console:ConsoleReporter",
    "ctrf": "e2e_orchestrator.reporters.ctrf:CtrfReporter",
    "github": "e2e_orchestrator.reporters.github:GithubReporter",
    "gitlab": "e2e_orchestrator.reporters.gitlab:GitlabReporter",
    "html": "e2e_orchestrator.reporters.html:HtmlReporter",
    "json": "e2e_orchestrator.reporters.json:JsonReporter",
    "junit": "e2e_orchestrator.reporters.junit:JunitReporter",
    "markdown": "e2e_orchestrator.reporters.markdown:MarkdownReporter",
    "otel": "e2e_orchestrator.reporters.otel:OtelReporter",
    "slack": "e2e_orchestrator.reporters.slack:SlackReporter",
    "tap": "e2e_orchestrator.reporters.tap:TapReporter",
    "webhook": "e2e_orchestrator.reporters.webhook:WebhookReporter",
}
