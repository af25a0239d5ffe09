"""The labels of a Django project, found by looking at its folders."""

from pathlib import Path

import pytest

from e2e_orchestrator.model.plan import Split
from e2e_orchestrator.planning.discovery import discovered
from e2e_orchestrator.planning.surroundings import Machine

PROJECT = (
    "manage.py",
    "catalog/__init__.py",
    "catalog/models.py",
    "catalog/migrations/__init__.py",
    "catalog/migrations/test_data.py",
    "catalog/tests/__init__.py",
    "catalog/tests/making.py",
    "catalog/tests/test_api.py",
    "catalog/tests/test_models.py",
    "orders/__init__.py",
    "orders/tests.py",
    "apps/__init__.py",
    "apps/blog/__init__.py",
    "apps/blog/test_posts.py",
    "apps/blog/comments/__init__.py",
    "apps/blog/comments/tests.py",
    "smoke/__init__.py",
    "smoke/deep/test_unreachable.py",
    "venv/lib/python3.11/site-packages/other/__init__.py",
    "venv/lib/python3.11/site-packages/other/tests.py",
    ".venv/lib/other/tests.py",
    "not-a-name/__init__.py",
    "not-a-name/tests.py",
    "test_root.py",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in PROJECT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_by_module_every_file_of_tests_is_a_label(project: Path) -> None:
    assert discovered(project, split=Split.MODULE, surroundings=Machine()) == [
        "apps.blog.comments.tests",
        "apps.blog.test_posts",
        "catalog.tests.test_api",
        "catalog.tests.test_models",
        "orders.tests",
        "test_root",
    ]


def test_by_app_no_label_runs_the_tests_of_another(project: Path) -> None:
    assert discovered(project, split=Split.APP, surroundings=Machine()) == [
        "apps.blog",
        "catalog",
        "orders",
        "test_root",
    ]
