"""Names at the ends of lines instead of a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def spread(places: Sequence[float], gap: float) -> list[float]:
    """The places moved apart to a distance of ``gap`` at least, as little as it takes.

    Groups that touch are merged and centred on their mean (pool adjacent violators).
    """
    order = np.argsort(places, kind="stable")
    blocks: list[list[float]] = []  # sum of the wanted starts, count
    for rank, index in enumerate(order):
        blocks.append([places[index] - rank * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + last[0], blocks[-1][1] + last[1]]
    starts = [block[0] / block[1] for block in blocks for _ in range(int(block[1]))]
    moved = [0.0] * len(places)
    for rank, index in enumerate(order):
        moved[index] = starts[rank] + rank * gap
    return moved


def label_ends(axis: Any, ends: Sequence[tuple[str, str, float, float]], size: float = 8.0) -> None:
    """Writes names to the right of an axis at the heights where their lines end, moved apart; a
    thin line leads from each name to its end.

    Args:
        axis: with its limits and scales already set.
        ends: name, colour, x and y of the end (data).
        size: of the letters, points.
    """
    ends = [end for end in ends if math.isfinite(end[2]) and math.isfinite(end[3])]
    if not ends:
        return
    inverse = axis.transAxes.inverted()
    spots = [inverse.transform(axis.transData.transform((x, y))) for _, _, x, y in ends]
    height = axis.get_position().height * axis.figure.get_size_inches()[1] * 72
    heights = spread([float(spot[1]) for spot in spots], 1.25 * size / height)
    for (name, color, _, _), spot, level in zip(ends, spots, heights, strict=True):
        axis.annotate(
            name, xy=spot, xycoords="axes fraction", xytext=(1.03, level),
            textcoords="axes fraction", va="center", fontsize=size, color=color,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.7,
                        "shrinkA": 0, "shrinkB": 0}, annotation_clip=False,
        )  # fmt: skip
