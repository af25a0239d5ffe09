"""The project's chores by name: ``nox -s tests lint typing imports docs``. The scripts do the work."""

import nox

nox.options.default_venv_backend = "none"  # The scripts bring the environment in .venv, and keep it current.


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; arguments after ``--`` go to pytest."""
    session.run("scripts/test", "--all", *session.posargs, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting of the code."""
    session.run("scripts/check", "lint", "format", "scripts", external=True)


@nox.session
def typing(session: nox.Session) -> None:
    """Types."""
    session.run("scripts/check", "types", external=True)


@nox.session
def imports(session: nox.Session) -> None:
    """Layers."""
    session.run("scripts/check", "layers", external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Links in the documentation."""
    session.run("scripts/check", "links", external=True)
