from django.apps import AppConfig


class ConcurrentTestsConfig(AppConfig):
    """An app without models: its one command is ``test``."""

    name = "e2e_orchestrator.contrib.django"
    label = "e2e_orchestrator"
    verbose_name = "Concurrent tests"
