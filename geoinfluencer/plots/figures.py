"""What a picture is here, and the style that all of them share."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from geoinfluencer.files.atomic import atomic_path

# Okabe and Ito's colours less yellow and black, which vanish on white or read as axes; then
# darker and lighter cousins. Neighbours in the list differ in lightness too.
PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A5195", "#3F6F35",
    "#8C6D31", "#00A0B0", "#A63A50", "#5B7DB1",
)  # fmt: skip
NOISE = "#B5B5B5"
GOOD, WRONG, MISSED, SPLIT, TAKEN = "#9DBAD0", "#D55E00", "#E69F00", "#7A5195", "#CC79A7"

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Figure:
    """A picture with what a reader needs to understand it.

    Attributes:
        key: stem of the file name.
        section: heading it belongs under in the report.
        title: one line.
        caption: what is drawn, in which units, from how much data.
        png: the picture.
    """

    key: str
    section: str
    title: str
    caption: str
    png: bytes

    def save(self, folder: Path) -> Path:
        """Writes ``key.png`` into the folder."""
        path = folder / f"{self.key}.png"
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.png)
        return path


@contextmanager
def drawing(width: float, height: float) -> Iterator[Canvas]:
    """A blank canvas (inches) in the house style, independent of pyplot and of any display."""
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(canvas)
        yield canvas


def render(canvas: Canvas, dpi: int = 110) -> bytes:
    """The canvas as PNG; call it inside :func:`drawing`."""
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=dpi, metadata={"Software": "geoinfluencer"})
    return buffer.getvalue()


def instance_colors(instance: np.ndarray) -> np.ndarray:
    """RGBA per node (N, 4): by instance number, the same in every picture; grey for none."""
    from matplotlib.colors import to_rgba_array

    table = to_rgba_array([*PALETTE, NOISE])
    index = np.where(instance >= 0, instance % len(PALETTE), len(PALETTE))
    colors: np.ndarray = table[index]
    return colors


def legend_dot(color: str, label: str, marker: str = "o", **style: Any) -> Any:
    """A legend entry for a kind of point."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", marker=marker, color=color, label=label, **style)
