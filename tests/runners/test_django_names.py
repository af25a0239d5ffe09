"""What the test databases of slots are called: whole on every server, and no two alike."""

import runpy
from pathlib import Path
from typing import Any

import pytest

import e2e_orchestrator

SHIM = Path(e2e_orchestrator.__file__).parent / "runners/shims/pytest_path/e2e_orchestrator_django.py"
LONGEST_OF_POSTGRESQL = 63


def name_in(slot: int, *, database: str) -> str:
    made: Any = runpy.run_path(str(SHIM))["Slot"]("/run", "20260302-090000-abcdef", str(slot))
    return str(made.name({"ENGINE": "django.db.backends.postgresql", "NAME": database}))


@pytest.mark.parametrize(
    "database",
    [
        pytest.param("shop", id="short"),
        pytest.param("a" * 45, id="with one letter too many"),
        pytest.param("a" * 80, id="long"),
        pytest.param("магазин_покупателей_и_продавцов", id="of letters with two bytes each"),
        pytest.param("店" * 40, id="of letters with three bytes each"),
    ],
)
def test_two_slots_never_have_the_same_database(database: str) -> None:
    names = [name_in(slot, database=database) for slot in (0, 1, 10)]
    of_workers = [f"{name}_{worker}" for name in names for worker in (1, 16)]
    everything = [*names, *of_workers]
    assert len({name.encode()[:LONGEST_OF_POSTGRESQL] for name in everything}) == len(everything)
    assert all(name.startswith("test_") for name in names)


def test_a_name_that_fits_stays_as_it_is() -> None:
    assert name_in(1, database="shop") == "test_shop_abcdef_1"
