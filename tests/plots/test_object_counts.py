from __future__ import annotations

import struct

import numpy as np

from geoinfluencer.plots.comparison import Line
from geoinfluencer.plots.object_counts import (
    CountLine,
    course_figure,
    numbers_figure,
    recall_figure,
)


def line(level: float, *, dashed: bool = False) -> CountLine:
    x = np.array([10.0, 50.0, 100.0])
    mean = level * np.minimum(1.0, 60 / x)
    return CountLine(0, dashed, Line(f"at {level}", x, mean, 0.9 * mean, mean))


def width_and_height(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_recall_shows_the_bound_and_where_training_ends() -> None:
    def drawn(queries: int, most_trained: int, **more: bool) -> bytes:
        lines = [line(0.9), line(0.5, **more)]
        return recall_figure(
            "recall", "t", lines, queries=queries, most_trained=most_trained, caption="c"
        ).png

    inside = drawn(50, 50)
    assert width_and_height(inside)[0] > width_and_height(inside)[1]
    assert inside == drawn(50, 50)
    assert inside != drawn(50, 60) != drawn(20, 60)  # another marker, another bound
    assert drawn(50, 100) == drawn(50, 500)  # nothing lies beyond the training
    assert drawn(50, 100) != inside != drawn(50, 50, dashed=True)


def test_numbers_have_a_panel_each() -> None:
    lines = [line(20.0), line(50.0, dashed=True)]
    one, two = (
        numbers_figure("n", "t", [("queries", lines)] * count, most_trained=50, caption="c").png
        for count in (1, 2)
    )
    assert one != two and width_and_height(two)[0] > 2 * width_and_height(two)[1]


def test_learning_curves_take_a_single_validation() -> None:
    alone = CountLine(3, False, Line("a", np.array([5.0]), *(np.array([0.4]) for _ in range(3))))
    assert width_and_height(course_figure("k", "t", [alone], caption="c").png)[0] > 500
