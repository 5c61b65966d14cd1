"""Pictures of charts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from geoinfluencer.plots.lines import line_figures


def chart(**more: np.ndarray) -> dict[str, np.ndarray]:
    """8 x 12 pixels, of which two rows of ten are nodes; one line is found in both."""
    column = np.tile(np.arange(1, 11), 2)
    row = np.repeat([2, 5], 10)
    return {
        "pos": np.stack([column, row], axis=1).astype(np.float32),
        "image_size": np.array([[8, 12]]),
        "predicted": np.where(row == 2, 0, np.where(column < 6, 0, -1)),
        "representative": np.array([4]),
        "line_xy": np.array([[1.0, 2.0], [10.0, 2.0]]),
        "line_of": np.array([0, 0]),
        **more,
    }


def drawn(monkeypatch: pytest.MonkeyPatch, arrays: dict[str, np.ndarray]) -> Any:
    canvases: list[Any] = []
    monkeypatch.setattr(
        "geoinfluencer.plots.lines.render", lambda canvas: canvases.append(canvas) or b""
    )
    line_figures(arrays, "a/b")
    return canvases[0]


def test_panels_of_a_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    ignore = np.zeros(20, bool)
    ignore[19] = True
    arrays = chart(
        truth=np.repeat([0, 1], 10), ignore=ignore, image=np.full((8, 12, 3), 255, np.uint8)
    )
    canvas = drawn(monkeypatch, arrays)
    assert [axis.get_title() for axis in canvas.axes] == [
        "image", "truth: 2 lines", "prediction: 1 lines", "influencers and who follows them",
        "lines, a dot where each begins", f"errors: {10 / 19:.1%} of the pixels right",
    ]  # fmt: skip
    legend = [text.get_text() for text in canvas.legends[0].get_texts()]
    assert f"in another's instance ({5 / 19:.1%})" in legend
    assert f"unassigned ({4 / 19:.1%})" in legend
    (links,) = (c for c in canvas.axes[3].collections if hasattr(c, "get_segments"))
    ends = np.array([segment[1] for segment in links.get_segments()])
    assert len(ends) == 15 and (ends == [5, 2]).all()  # all lead to the influencer


def test_a_chart_without_truth_or_image(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = drawn(monkeypatch, chart())
    assert [axis.get_title() for axis in canvas.axes[:3]] == [
        "prediction: 1 lines", "influencers and who follows them", "lines, a dot where each begins",
    ]  # fmt: skip
    assert not canvas.legends


def test_a_chart_without_lines_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = np.zeros(0, np.int64)
    arrays = chart(
        predicted=np.full(20, -1), representative=nothing, line_of=nothing,
        line_xy=np.zeros((0, 2)),
    )  # fmt: skip
    assert drawn(monkeypatch, arrays).axes[0].get_title() == "prediction: 0 lines"
