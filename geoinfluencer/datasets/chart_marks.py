"""What stands around the lines of a chart: axes, ticks, grid, and strokes in the place of text."""

from __future__ import annotations

import numpy as np

# Segments of a glyph in a box of width and height 1, as (x, y) pairs.
_STROKES = np.array(
    [
        [(0, 0), (1, 0)], [(1, 0), (1, 0.5)], [(1, 0.5), (1, 1)], [(0, 1), (1, 1)],
        [(0, 0.5), (0, 1)], [(0, 0), (0, 0.5)], [(0, 0.5), (1, 0.5)], [(0, 0), (1, 1)],
        [(0.5, 0), (0.5, 1)],
    ]
)  # fmt: skip

_ACROSS, _DOWN = 45, 30  # pixels: least distance of ticks, about


def text(
    rng: np.random.Generator, corner: tuple[float, float], height: float, letters: int
) -> np.ndarray:
    """(S, 2, 2) segments of ``letters`` random glyphs of two to five strokes, from the upper left
    corner x, y to the right; a glyph is half as wide as high, and advances by three quarters."""
    drawn = rng.random((letters, len(_STROKES))).argsort(axis=1) < rng.integers(2, 6, (letters, 1))
    letter, stroke = np.nonzero(drawn)
    segments = _STROKES[stroke] * [height / 2, height]
    segments[..., 0] += letter[:, None] * 0.75 * height
    return segments + np.array(corner)


def text_width(height: float, letters: int) -> float:
    """Width of :func:`text` in pixels."""
    return (0.75 * (letters - 1) + 0.5) * height


def ticks(low: float, high: float, count: int) -> np.ndarray:
    """(count,) whole coordinates evenly between two ends, both included."""
    return np.rint(np.linspace(low, high, count))


def axes(
    rng: np.random.Generator,
    box: tuple[float, float, float, float],  # left, top, right, bottom
    *,
    framed: bool,
    label_height: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes with ticks, labels at the ticks, and grid lines at the ticks.

    Args:
        rng: Decides how many ticks and what text.
        box: Plot area in pixels.
        framed: Four sides in place of two.
        label_height: Of the labels in pixels.

    Returns:
        Segments (S, 2, 2) of the three.
    """
    left, top, right, bottom = box
    most_across, most_down = int((right - left) / _ACROSS), int((bottom - top) / _DOWN)
    x = ticks(left, right, int(rng.integers(3, max(most_across, 3) + 2)))
    y = ticks(top, bottom, int(rng.integers(3, max(most_down, 3) + 1)))
    lines = [[(left, bottom), (right, bottom)], [(left, top), (left, bottom)]]
    if framed:
        lines += [[(left, top), (right, top)], [(right, top), (right, bottom)]]
    lines += [[(each, bottom), (each, bottom + 4)] for each in x]
    lines += [[(left - 4, each), (left, each)] for each in y]
    labels = []
    for each in x:
        letters = int(rng.integers(1, 4))
        start = each - text_width(label_height, letters) / 2
        labels.append(text(rng, (start, bottom + 7), label_height, letters))
    for each in y:
        letters = int(rng.integers(1, 4))
        start = left - 7 - text_width(label_height, letters)
        labels.append(text(rng, (start, each - label_height / 2), label_height, letters))
    grid = [[(left, each), (right, each)] for each in y[:-1]]
    grid += [[(each, top), (each, bottom)] for each in x[1:]]
    return np.array(lines), np.concatenate(labels), np.array(grid)
