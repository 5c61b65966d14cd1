"""Masks over images, and the panels of a report."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from geoinfluencer.plots.figures import instance_colors
from geoinfluencer.plots.image_panels import image_figures
from geoinfluencer.plots.overlay import as_colors, outlines, overlay, png


def test_every_kind_of_image_becomes_colours() -> None:
    grey = np.array([[0, 51], [102, 255]], np.uint8)
    expected = np.repeat((grey / 255.0)[..., None], 3, axis=2)
    rgba = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    for image in (grey, grey[..., None], np.dstack([grey] * 3), rgba, grey / np.float32(255)):
        assert as_colors(image) == pytest.approx(expected, abs=1e-6)
    assert as_colors(grey.astype(np.uint16) * 257) == pytest.approx(expected, abs=1e-6)
    clear = np.dstack([grey, grey, grey, np.zeros_like(grey)])
    assert (as_colors(clear) == 1).all()


def test_outlines_are_on_both_sides_of_a_border() -> None:
    labels = np.full((5, 6), -1)
    labels[1:4, 1:5] = 0
    edge = outlines(labels)
    inside = np.zeros_like(edge)
    inside[2, 2:4] = True
    assert np.array_equal(edge & (labels == 0), (labels == 0) & ~inside)
    assert edge[0, 1:5].all() and not edge[0, 0]
    thin = outlines(labels, thin=True)
    assert thin.sum() == 2 * (3 + 4) - 1 and not (thin & ~edge).any()
    assert not outlines(np.zeros((4, 4), int)).any()


def test_masks_are_filled_half_and_outlined() -> None:
    image = np.zeros((7, 7), np.uint8)
    labels = np.full((7, 7), -1)
    labels[1:6, 1:6] = 2
    shown = overlay(image, labels)
    color = instance_colors(np.array([2]))[0, :3]
    assert (shown[labels < 0] == 0).all()
    assert shown[1, 1] == pytest.approx(color, abs=1e-6)
    assert shown[3, 3] == pytest.approx(0.45 * color, abs=1e-6)
    tinted = overlay(image, labels, np.where(labels == 2, 5, -1))
    assert tinted[1, 1] == pytest.approx(instance_colors(np.array([5]))[0, :3], abs=1e-6)


def test_png_has_the_pixels_of_the_image() -> None:
    image_module = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).random((4, 9, 3))
    read = np.asarray(image_module.open(io.BytesIO(png(pixels))).convert("RGB"))
    assert np.array_equal(read, np.rint(255 * pixels).astype(np.uint8))


def arrays(**more: np.ndarray) -> dict[str, np.ndarray]:
    """6 x 8 pixels in 12 nodes of 2 x 2; two objects are found."""
    segment = np.arange(12).reshape(3, 4).repeat(2, 0).repeat(2, 1)
    predicted = np.full(12, -1)
    predicted[[0, 1]], predicted[[10, 11]] = 0, 1
    row, column = np.divmod(np.arange(12), 4)
    return {
        "image": np.zeros((6, 8, 3), np.uint8),
        "segment_map": segment.reshape(-1),
        "image_size": np.array([[6, 8]]),
        "pos": np.stack([2 * column + 0.5, 2 * row + 0.5], axis=1),
        "predicted": predicted,
        "representative": np.array([0, 11]),
        **more,
    }


def titles(monkeypatch: pytest.MonkeyPatch, given: dict[str, np.ndarray]) -> list[str]:
    from matplotlib.axes import Axes

    found: list[str] = []
    real = Axes.set_title

    def keep(self: Axes, text: str, *rest: object, **more: object) -> object:
        found.append(text)
        return real(self, text, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Axes, "set_title", keep)
    (figure,) = image_figures(given, "a/b")
    assert figure.key == "a-b-image" and figure.png.startswith(b"\x89PNG")
    return found


def test_panels_with_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.full((6, 8), -1)
    truth[0:2, 0:4] = 0
    truth[4:6, 4:8] = -2  # ignored
    found = titles(monkeypatch, arrays(pixel_truth=truth.reshape(-1)))
    assert found == [
        "image", "truth: 1 objects", "prediction: 2 objects", "12 segments",
        "influencers and who follows them", "errors: 100.0% of the pixels right",
    ]  # fmt: skip


def test_pixels_of_their_own_are_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.full((6, 8), -1)
    truth[0:2, 0:4] = 0
    own = np.full((6, 8), -1)
    own[0:2, 0:3] = 0  # two of the eight pixels of the object are missed
    given = arrays(pixel_truth=truth.reshape(-1), pixel_predicted=own.reshape(-1))
    found = titles(monkeypatch, given)
    assert "prediction: 1 objects" in found
    assert f"errors: {46 / 48:.1%} of the pixels right" in found


def test_truth_of_nodes_where_pixels_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.full(12, -1)
    truth[[0, 1, 2]] = 0
    ignore = np.arange(12) == 2
    found = titles(monkeypatch, arrays(truth=truth, ignore=ignore))
    # 44 pixels count, of which the 8 of the second prediction are wrong
    assert found[-1] == f"errors: {36 / 44:.1%} of the pixels right"


def test_without_truth_there_are_no_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    found = titles(monkeypatch, arrays())
    assert len(found) == 4 and not any("errors" in each for each in found)


def test_the_legend_of_errors_speaks_of_background(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    entries: list[str] = []
    real = Figure.legend

    def keep(self: Figure, *rest: Any, **more: Any) -> Any:
        entries.extend(handle.get_label() for handle in more["handles"])
        return real(self, *rest, **more)

    monkeypatch.setattr(Figure, "legend", keep)
    truth = np.full((6, 8), -1)
    truth[0:2, 0:4] = 0  # the second object of two is of background alone
    image_figures(arrays(pixel_truth=truth.reshape(-1)), "")
    assert entries == ["background taken for an instance (16.7%)"]


def named(
    monkeypatch: pytest.MonkeyPatch, truth: np.ndarray, found: np.ndarray, *names: list[str]
) -> list[list[Any]]:
    """The names as drawn on the panels of truth and prediction of an image of 30 x 40 pixels."""
    panels: list[list[Any]] = []

    def keep(canvas: Any) -> bytes:
        canvas.draw_without_rendering()
        panels.extend(list(axis.texts) for axis in canvas.axes[1:3])
        return b""

    monkeypatch.setattr("geoinfluencer.plots.image_panels.render", keep)
    given = arrays() | {
        "image": np.zeros((30, 40), np.uint8),
        "image_size": np.array([[30, 40]]),
        "segment_map": np.arange(1200),
        "predicted": np.full(1200, -1),
        "pos": np.zeros((1200, 2)),
        "representative": np.zeros(len(names[1]), np.int64),
        "pixel_truth": truth.reshape(-1),
        "pixel_predicted": found.reshape(-1),
        "truth_class": np.array(names[0]),
        "predicted_class": np.array(names[1]),
    }
    image_figures(given, "names")
    return panels


def test_larger_objects_bear_the_names_of_their_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.full((30, 40), -1)
    truth[5:8, 4:9] = 0
    truth[20, 30] = 1  # too small to be written on
    found = np.full((30, 40), -1)
    found[10:21, 10:21] = 0
    found[12:19, 12:19] = -1  # a ring: its middle is not its own
    (cat,), (cow,) = named(monkeypatch, truth, found, ["cat", "dog"], ["cow"])
    assert cat.get_text() == "cat" and cat.get_position() == (6, 6)
    x, y = cow.get_position()
    assert cow.get_text() == "cow" and found[int(y), int(x)] == 0
    assert abs(x - 15) + abs(y - 15) == 4


def test_names_stay_inside_of_the_image_and_clear_of_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = np.full((30, 40), -1)
    truth[3:9, 37:40] = 0  # at the right border
    truth[20:26, 0:2] = 1  # at the left one
    found = np.full((30, 40), -1)
    found[10, 10:30] = 0
    found[11, 16:24] = 1  # its name would lie on that of the larger one
    found[26:29, 5:9] = 2
    names = ["refrigerator", "dining table"], ["banana", "chair", "cup"]
    written = named(monkeypatch, truth, found, *names)
    assert [[text.get_text() for text in texts] for texts in written] == [
        ["refrigerator", "dining table"], ["banana", "cup"],
    ]  # fmt: skip
    for text in written[0]:
        box, frame = text.get_window_extent(), text.axes.get_window_extent()
        assert frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1
        x, y = text.get_position()
        assert 1.5 < x < 37 and round(y, 6) in (5, 22)  # moved, and not up or down
