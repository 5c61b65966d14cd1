"""When two results are the same: tensors within rounding, neighbours up to ties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

COMPARED = 200_000  # queries of a search that are compared at most, evenly spread
_ULP = 2.0**-23  # float32


@dataclass(frozen=True)
class Difference:
    """How far a result is from ours.

    Attributes:
        equal: within the tolerance.
        absolute: largest absolute error.
        relative: largest error relative to the largest entry (of a gradient, a distance).
        what: where it was found, in words.
    """

    equal: bool
    absolute: float
    relative: float
    what: str = ""


def compare_tensors(
    _: Any, ours: list[Tensor], other: list[Tensor], tolerance: float
) -> Difference:
    """Value first, then the gradients; each relative to its own largest entry. A value may
    come as () or as (1,)."""
    worst = Difference(True, 0.0, 0.0)
    for number, (mine, theirs) in enumerate(zip(ours, other, strict=True)):
        what = "value" if number == 0 else f"gradient {number}"
        if number == 0 and mine.numel() == theirs.numel() == 1:
            mine, theirs = mine.reshape(()), theirs.reshape(())
        if mine.shape != theirs.shape:
            return Difference(False, float("inf"), float("inf"), f"{what} has another shape")
        same = mine == theirs  # infinities
        error = torch.where(same, 0.0, (mine.double() - theirs.double()).abs())
        absolute = float(error.max()) if error.numel() else 0.0
        finite = mine[mine.isfinite()]
        scale = float(finite.abs().max()) if finite.numel() else 0.0
        relative = absolute / scale if scale > 0 else absolute
        if not relative <= worst.relative:  # NaN counts as worse
            worst = Difference(relative <= tolerance, absolute, relative, what)
        if not worst.equal:
            break
    return worst


def stride(queries: int) -> int:
    """Every so many-th query is compared."""
    return -(-queries // COMPARED)


def compare_neighbors(points: Tensor, ours: Tensor, other: Tensor) -> Difference:
    """The k nearest others of each point, ties in any order.

    Args:
        points: searched, each one but itself.
        ours, other: indices.

    Shapes:
        points (N, D), ours and other (N, k).
    """
    if ours.shape != other.shape:
        return Difference(False, float("inf"), float("inf"), f"shape {tuple(other.shape)}")
    rows = torch.arange(0, points.shape[0], stride(points.shape[0]), device=points.device)
    mine, theirs = ours[rows], other[rows]
    if bool((theirs < 0).any()) or bool((theirs >= points.shape[0]).any()):
        return Difference(False, float("inf"), float("inf"), "an index out of range")
    if bool((theirs == rows[:, None]).any()):
        return Difference(False, float("inf"), float("inf"), "a point is its own neighbour")
    if bool((theirs.sort(dim=1).values.diff(dim=1) == 0).any()):
        return Difference(False, float("inf"), float("inf"), "a neighbour is listed twice")
    error = (_distances(points, rows, mine) - _distances(points, rows, theirs)).abs()
    absolute = float(error.max())
    scale = float(points.abs().max())
    return Difference(absolute <= 32 * _ULP * scale, absolute, absolute / scale, "distance")


def _distances(points: Tensor, rows: Tensor, index: Tensor) -> Tensor:
    """Sorted distances in float64 (Q, k)."""
    away = points[index].double() - points[rows, None].double()
    return away.square().sum(-1).sqrt().sort(dim=1).values


def compare_pairs(points: Tensor, radius: float, ours: Tensor, other: Tensor) -> Difference:
    """Pairs within a radius as sets; they may differ where the distance is the radius, rounded.

    Args:
        points: searched.
        radius: of the search.
        ours, other: keys ``row * N + column`` of the pairs, each once, sorted.

    Shapes:
        points (N, D), ours (E,), other (E',).
    """
    either, count = torch.cat([ours, other]).unique(return_counts=True)
    lone = either[count != 2]
    size = points.shape[0]
    away = points[lone // size].double() - points[lone % size].double()
    off = (away.square().sum(-1).sqrt() - radius).abs()
    absolute = float(off.max()) if lone.numel() else 0.0
    allowed = 32 * _ULP * float(points.abs().max())
    repeated = other.numel() != int(other.unique().numel())
    what = f"{lone.numel()} of {ours.numel()} pairs" if lone.numel() else ""
    what = "a pair is listed twice" if repeated else what
    return Difference(absolute <= allowed and not repeated, absolute, absolute / radius, what)


def pair_keys(row: Tensor, col: Tensor, size: int) -> Tensor:
    """Sorted keys of the pairs of the compared queries, without the self pairs."""
    kept = (row != col) & (row % stride(size) == 0)
    keys: Tensor = (row[kept] * size + col[kept]).sort().values
    return keys


def compare_partitions(_: Any, ours: Tensor, other: Tensor, tolerance: float) -> Difference:
    """Two labellings (N,) of the same points: equal if they group alike, whatever the names."""
    joint = torch.stack([_dense(ours), _dense(other)]).unique(dim=1).shape[1]
    groups = int(_dense(ours).max()) + 1, int(_dense(other).max()) + 1
    share = abs(joint - groups[0]) / groups[0] + abs(joint - groups[1]) / groups[1]
    what = f"{groups[0]} and {groups[1]} groups, {joint} in common"
    return Difference(share <= tolerance, float(joint - groups[0]), share, what)


def _dense(labels: Tensor) -> Tensor:
    return labels.unique(return_inverse=True)[1]
