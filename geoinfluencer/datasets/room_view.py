"""How the rooms of a set become samples: the options that all sets of rooms share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_type_hints

from geoinfluencer.errors import InputError


@dataclass(frozen=True)
class RoomView:
    """Options of every set of rooms, under these names.

    Args:
        parts_per_room: Training samples of a room and epoch.
        max_nodes: Nodes of a training sample, at most: a part of the room about a random place,
            another at every access; ``None`` = whole rooms.
        max_eval_nodes: The same for the other splits, where the part is always the same one.
        crop: ``"column"``: what is nearest in x and y, from floor to ceiling; ``"sphere"``.
        rotate: Turn training samples about z by a random angle.
        mirror: Mirror training samples with probability 1/2.
        scale: Training samples are scaled by up to 1 +- this.
        color_drop: Share of training samples without colour.
        hold_out: Share of the points of every room, drawn at random, that training and calibration
            know nothing of but where they are, and that alone are scored in the other splits: for
            rooms that are trained on and scored.
        keep: Number of whole rooms kept in memory, as graphs (16 MB of 20,000 nodes).
        graph: ``nodes``, ``voxels`` or ``superpoints``, and the options of
            :class:`~geoinfluencer.graphs.PointGraph` or
            :class:`~geoinfluencer.graphs.SuperpointGraph`.

    Raises:
        InputError: On options that make no sense.
    """

    parts_per_room: int = 1
    max_nodes: int | None = 8000
    max_eval_nodes: int | None = None
    crop: Literal["column", "sphere"] = "column"
    rotate: bool = True
    mirror: bool = True
    scale: float = 0.1
    color_drop: float = 0.2
    hold_out: float = 0.0
    keep: int = 50
    graph: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.crop not in ("column", "sphere"):
            raise InputError(f"crop {self.crop!r} is neither 'column' nor 'sphere'")
        for name in ("max_nodes", "max_eval_nodes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, or null for all, got {value}")
        for name in ("scale", "color_drop"):
            share = getattr(self, name)
            if not 0 <= share <= 1 or (share == 1 and name == "scale"):
                raise InputError(f"{name} must be in [0, 1], below 1 for scale, got {share}")
        if not 0 <= self.hold_out < 1:
            raise InputError(f"hold_out must be at least 0 and below 1, got {self.hold_out}")
        if self.parts_per_room < 1:
            raise InputError(f"parts_per_room must be at least 1, got {self.parts_per_room}")


def show_view_options(init: Callable[..., None]) -> None:
    """Put the options of :class:`RoomView` into the signature of a constructor that takes them as
    ``**view``: configurations are checked against it by name, type and default. Those that it
    names itself, as it has another default, stay as they are."""
    signature = inspect.signature(init)
    *own, last = signature.parameters.values()
    if last.kind is not last.VAR_KEYWORD or last.name != "view":
        return
    hints = get_type_hints(RoomView)
    shared = [
        inspect.Parameter(
            field.name, last.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(RoomView)
        if field.name not in signature.parameters
    ]
    init.__annotations__.pop(last.name, None)
    init.__annotations__.update({each.name: each.annotation for each in shared})
    init.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
