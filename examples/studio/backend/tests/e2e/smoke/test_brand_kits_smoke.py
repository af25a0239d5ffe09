"""Brand kits can be created, read, changed and deleted, up to ten of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors import Streamer

LIMIT = 10


def test_a_new_user_has_no_kits(streamer: Streamer) -> None:
    assert streamer.get("/brand-kits").json() == {"items": [], "limit": LIMIT}


def test_a_kit_is_stored_as_it_was_given(streamer: Streamer) -> None:
    kit = streamer.create_kit("Retro nights", primary_colour="#112233", accent_colour="#FFCC00")

    assert streamer.get(f"/brand-kits/{kit['id']}").json() == kit
    assert (kit["name"], kit["primary_colour"], kit["accent_colour"]) == ("Retro nights", "#112233", "#ffcc00")
    assert kit["has_logo"] is False


def test_changing_one_field_leaves_the_others(streamer: Streamer) -> None:
    kit = streamer.create_kit(primary_colour="#112233")

    changed = streamer.patch(f"/brand-kits/{kit['id']}", json={"accent_colour": "#445566"}).json()

    assert changed["accent_colour"] == "#445566"
    assert changed["primary_colour"] == "#112233"
    assert changed["updated_at"] > kit["updated_at"]


def test_a_deleted_kit_is_gone(streamer: Streamer) -> None:
    kit = streamer.create_kit()

    assert streamer.delete(f"/brand-kits/{kit['id']}").status_code == 204
    assert streamer.get(f"/brand-kits/{kit['id']}").status_code == 404
    assert streamer.delete(f"/brand-kits/{kit['id']}").status_code == 404


def test_a_name_is_unique_for_its_user_only(streamer: Streamer, new_streamer: Callable[[], Streamer]) -> None:
    streamer.create_kit("Main")

    again = streamer.post("/brand-kits", json={"name": "Main"})

    assert again.status_code == 409
    assert again.json()["code"] == "name_taken"
    new_streamer().create_kit("Main")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "   "}, {"name": "x" * 61}, {"name": "Main", "primary_colour": "purple"}],
    ids=["no name", "blank name", "long name", "colour without a number"],
)
def test_a_kit_with_a_bad_field_is_refused(streamer: Streamer, body: dict[str, str]) -> None:
    assert streamer.post("/brand-kits", json=body).status_code == 422
    assert streamer.get("/brand-kits").json()["items"] == []


def test_the_eleventh_kit_is_refused(streamer: Streamer) -> None:
    for number in range(LIMIT):
        streamer.create_kit(f"Kit {number}")

    eleventh = streamer.post("/brand-kits", json={"name": "One too many"})

    assert eleventh.status_code == 409
    assert eleventh.json()["code"] == "brand_kit_limit"
    assert eleventh.json()["limit"] == LIMIT
    assert len(streamer.get("/brand-kits").json()["items"]) == LIMIT
