from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from geoinfluencer.metrics import BinnedEfficiency
from geoinfluencer.plots.curves import calibration_figure, loss_figure, validation_figure
from geoinfluencer.plots.efficiency import efficiency_figure
from geoinfluencer.plots.embedding import embedding_figure
from geoinfluencer.plots.events import LARGE, event_figures
from geoinfluencer.plots.figures import NOISE, PALETTE, Figure, instance_colors, legend_dot
from geoinfluencer.plots.points import point_figures
from geoinfluencer.plots.segments import segment_figures


def size_of(figure: Figure) -> tuple[int, int]:
    assert figure.png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", figure.png[16:24])
    return width, height


def event(hits: int, dim: int, *, truth: bool = True) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    instance = rng.integers(-1, max(hits // 10, 1), hits)
    arrays = {
        "pos": rng.normal(size=(hits, dim)).astype(np.float32) * 100,
        "predicted": np.where(rng.random(hits) < 0.1, -1, instance),
        "follower": rng.normal(size=(hits, 3)),
        "influencer": rng.normal(size=(hits, 3)),
        "representative": np.arange(min(5, hits)),
    }
    if truth:
        arrays |= {"truth": instance, "ignore": np.zeros(hits, bool), "window": instance % 2 == 0}
    return arrays


@pytest.mark.parametrize(
    ("hits", "dim", "expected"),
    [(60, 2, ["e-xy"]), (60, 3, ["e-xy", "e-rz"]), (LARGE + 500, 3, ["e-xy", "e-rz", "e-sector"])],
)
def test_views_of_an_event(hits: int, dim: int, expected: list[str]) -> None:
    figures = event_figures(event(hits, dim), "e")
    assert [figure.key for figure in figures] == expected
    assert all(width > 2 * height for width, height in map(size_of, figures))  # three panels
    whole = f"All {hits} hits of e." if hits <= LARGE else f"of e ({hits:,} hits), chosen at random"
    assert all(whole in figure.caption for figure in figures if figure.key != "e-sector")
    assert all("Every hit of e in phi" in figure.caption for figure in figures[2:])


def test_without_truth_there_is_one_panel() -> None:
    (figure,) = event_figures(event(60, 2, truth=False), "e/0")
    width, height = size_of(figure)
    assert width < 2 * height and "/" not in figure.key


@pytest.mark.parametrize("hits", [1, 40, 2000])
def test_embedding(hits: int) -> None:
    figure = embedding_figure(event(hits, 2), "e", 0.5)
    assert "0.5" in figure.caption and size_of(figure)[0] > 1000
    assert ("chosen at random" in figure.caption) == (hits == 2000)


def test_points_in_one_two_and_three_dimensions() -> None:
    assert [len(point_figures(event(30, dim), "s")) for dim in (1, 2, 3)] == [1, 1, 2]


def test_colours_are_stable_and_noise_is_grey() -> None:
    colors = instance_colors(np.array([0, 1, 0, -1, len(PALETTE)]))
    assert (colors[0] == colors[2]).all() and (colors[0] == colors[4]).all()
    assert not (colors[0] == colors[1]).all()
    assert "#{:02X}{:02X}{:02X}".format(*(colors[3][:3] * 255).round().astype(int)) == NOISE


def test_efficiency_quotes_window_and_interval() -> None:
    curve = BinnedEfficiency(
        "pT [GeV]", np.array([0.5, 1, 2, 4]), np.array([3, 0, 9]), np.array([4, 0, 9])
    )
    figure = efficiency_figure("pt", curve, "Window W: pT >= 0.9 GeV.")
    assert "13 particles" in figure.caption and "Clopper-Pearson" in figure.caption
    assert "pT >= 0.9 GeV" in figure.caption and size_of(figure)[0] > 500


def test_curves() -> None:
    rows = [
        {"step": float(s), "train/total": 2.0 / s, "train/learning_rate": 1e-3}
        for s in range(1, 50)
    ]
    figure = loss_figure(rows)
    assert figure is not None and "49 logged steps" in figure.caption
    assert "total (black) is their sum with the weights" in figure.caption
    checks = [{"step": 10.0, "val/a": 0.5}, {"step": 20.0, "val/a": float("nan")}]
    assert validation_figure(checks, ["a", "b"], 10) is not None
    grid = [{"radius": r, "score": r, "instances": 3.0} for r in (0.1, 0.2)]
    figure = calibration_figure(grid, {"radius": 0.2})
    assert figure is not None and figure.title == "Choice of the radius"
    grid = [{"min_iou": q, "score": q, "instances": 3.0} for q in (0.0, 0.1)]
    figure = calibration_figure(grid, {"radius": None, "min_iou": 0.1})
    assert figure is not None and figure.title == "Choice of the least agreement"


def test_nothing_to_draw() -> None:
    assert loss_figure([]) is None
    assert validation_figure([], ["a"], None) is None
    assert (
        calibration_figure([{"radius": 0.5, "score": 1.0, "instances": 3.0}], {"radius": 0.5})
        is None
    )


def test_images_are_drawn_as_images() -> None:
    arrays = {
        "segment_map": np.repeat([0, 1, 2, 3], 6).astype(np.int32),
        "image_size": np.array([[4, 6]]),
        "truth": np.array([0, 0, -1, 1]),
        "predicted": np.array([0, 0, 0, -1]),
    }
    (figure,) = segment_figures(arrays, "cells/1")
    assert figure.key == "cells-1-segments" and figure.png.startswith(b"\x89PNG")
    assert "The 4 segments of cells/1" in figure.caption
    del arrays["truth"]
    (figure,) = segment_figures(arrays, "")
    assert figure.key == "sample-segments"


def test_pixels_that_no_instance_has_are_called_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = []

    def dot(color: str, label: str, shape: str) -> Any:
        said.append(label)
        return legend_dot(color, label, shape)

    monkeypatch.setattr("geoinfluencer.plots.segments.legend_dot", dot)
    arrays = {
        "segment_map": np.repeat([0, 1, 2, 3], 6).astype(np.int32),
        "image_size": np.array([[4, 6]]),
        "truth": np.array([0, 0, -1, 1]),
        "predicted": np.array([0, 0, 0, -1]),
    }
    segment_figures(arrays, "cells/1")
    assert said == [
        "right (12 pixels)",
        "background taken for an instance (6 pixels)",
        "unassigned (6 pixels)",
    ]
