from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoinfluencer.plots.comparison import Line, Mark, curves_figure, line_style, marks_figure
from geoinfluencer.plots.direct_labels import spread
from geoinfluencer.plots.figures import PALETTE, Figure
from geoinfluencer.plots.scaling import scaling_figure


def width_and_height(figure: Figure) -> tuple[int, int]:
    assert figure.png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", figure.png[16:24])
    return width, height


@given(st.lists(st.floats(0, 1), max_size=9), st.floats(0.01, 0.3))
def test_labels_are_moved_apart_and_keep_their_order(places: list[float], gap: float) -> None:
    moved = spread(places, gap)
    order = np.argsort(places, kind="stable")
    gaps = np.diff(np.array(moved)[order])
    assert (gaps >= gap - 1e-9).all()
    if len(places) > 1 and (np.diff(np.sort(places)) >= gap).all():
        assert moved == pytest.approx(places)
    assert np.sum(moved) == pytest.approx(np.sum(places))  # none is favoured


def line(name: str, level: float) -> Line:
    x = np.arange(30.0)
    mean = level * x / 30
    return Line(name, x, mean, mean - 0.05, mean + 0.05)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_learning_curves(logarithmic: bool) -> None:
    names = ["a", "b", "c"]
    lines = [line("a", 1.0), line("c", 0.99)]
    figure = curves_figure(
        "k", "s", "t", [("step", lines), ("minutes", lines)], names, "ari", "words",
        target=0.9, logarithmic=logarithmic,
    )  # fmt: skip
    width, height = width_and_height(figure)
    assert width > 2 * height


def test_a_name_has_its_colour_wherever_it_is_drawn() -> None:
    names = [f"loss-{i}" for i in range(14)]
    assert line_style(names, "loss-2")["color"] == PALETTE[2]
    styles = {(s["color"], str(s["linestyle"])) for s in (line_style(names, n) for n in names)}
    assert len(styles) == len(names)


def test_rows_of_dots_grow_with_groups_and_take_what_is_missing() -> None:
    marks = [
        Mark("a", [1.0, 2.0, float("nan")], 1.5),
        Mark("b", [float("nan")], None),
        Mark("c", [3.0], 3.0, 2.0, 4.0),
    ]
    one = marks_figure("k", "s", "t", {"g": marks}, ["a", "b", "c"], "steps", "w", logarithmic=True)
    three = marks_figure("k", "s", "t", dict.fromkeys("ghi", marks), ["a", "b", "c"], "x", "w")
    assert width_and_height(three)[0] > width_and_height(one)[0]
    assert width_and_height(three)[1] > 1.5 * width_and_height(one)[1]


def test_scaling() -> None:
    time = {"a": {1000: 1.0, 10_000: 11.0}, "b": {1000: 2.0}}
    figure = scaling_figure("k", "s", "t", time, {"a": {1000: 0.0}}, ["a", "b"], "w")
    assert width_and_height(figure)[0] > 1000
