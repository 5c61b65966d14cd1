"""The options that all sets of rooms share."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any, Literal, get_type_hints

import pytest

from geoinfluencer.datasets import S3DIS, STPLS3D, ScanNet, SyntheticRooms
from geoinfluencer.datasets.points import Points
from geoinfluencer.datasets.room_set import RoomSet
from geoinfluencer.datasets.room_view import RoomView
from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.resolve import resolve_config

SETS = (S3DIS, ScanNet, STPLS3D, SyntheticRooms, Points)
SHARED = {
    "parts_per_room": 1, "max_nodes": 8000, "max_eval_nodes": None, "crop": "column",
    "rotate": True, "mirror": True, "scale": 0.1, "color_drop": 0.2, "hold_out": 0.0, "keep": 50,
    "graph": None,
}  # fmt: skip


@pytest.mark.parametrize("cls", SETS)
def test_every_set_of_rooms_has_them_by_name_type_and_default(cls: type[RoomSet]) -> None:
    parameters = inspect.signature(cls).parameters
    found = {name: each.default for name, each in parameters.items() if name in SHARED}
    assert found == {**SHARED, **({"keep": 30} if cls is STPLS3D else {})}
    assert "view" not in parameters and list(parameters)[:2] == ["root", "split"]
    hints = get_type_hints(cls.__init__)
    assert hints["crop"] == Literal["column", "sphere"] and hints["max_nodes"] == int | None
    assert {field.name for field in fields(RoomView)} == set(SHARED)


def test_a_set_of_your_own_has_them_too_and_keeps_its_own_defaults() -> None:
    class Mine(RoomSet):
        def __init__(self, root: str, split: str, *, scale: float = 0.0, **view: Any) -> None:
            super().__init__(split, background=(), scale=scale, **view)

    class Same(RoomSet):
        def __init__(self, root: str, split: str, **other: Any) -> None:
            super().__init__(split, background=(), **other)

    assert set(SHARED) < set(inspect.signature(Mine).parameters)
    assert inspect.signature(Mine).parameters["scale"].default == 0.0
    assert list(inspect.signature(Same).parameters) == ["root", "split", "other"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["data.max_nods=3"], "unknown key 'data.max_nods'; did you mean 'max_nodes'"),
        (["data.crop=box"], "data.crop"),
        (["data.rotate=1"], "data.rotate"),
    ],
)
def test_settings_are_checked_against_them(options: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_config("synthetic-rooms", assignments=options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": "box"}, "crop 'box' is neither 'column' nor 'sphere'"),
        ({"max_nodes": 0}, "max_nodes must be at least 1, or null for all, got 0"),
        ({"max_eval_nodes": -1}, "max_eval_nodes must be at least 1, or null for all, got -1"),
        ({"scale": 1.0}, r"scale must be in \[0, 1\], below 1 for scale, got 1.0"),
        ({"color_drop": 1.1}, r"color_drop must be in \[0, 1\], below 1 for scale, got 1.1"),
        ({"hold_out": 1.0}, "hold_out must be at least 0 and below 1, got 1.0"),
        ({"parts_per_room": 0}, "parts_per_room must be at least 1, got 0"),
    ],
)
def test_values_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        RoomView(**options)
