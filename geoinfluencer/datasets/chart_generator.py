"""Line charts from a seed, with the lines known: curves, axes, ticks, labels, grid and legend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoinfluencer.datasets.chart_canvas import Canvas
from geoinfluencer.datasets.chart_colours import line_colours, page_colours
from geoinfluencer.datasets.chart_curves import SHAPES, curve
from geoinfluencer.datasets.chart_marks import axes, text, text_width
from geoinfluencer.errors import InputError
from geoinfluencer.files.polyline_raster import segments_of, stroke_coverage

_SHARES = (
    "crossing", "dashes", "markers", "similar", "grey", "grid", "legend", "dark",
)  # fmt: skip


@dataclass(frozen=True)
class ChartOptions:
    """What charts look like; lengths in pixels, the rest shares of the charts unless said.

    Attributes:
        width_min, width_max, height_min, height_max: Size.
        lines_min, lines_max: Number of lines.
        thickness_min, thickness_max: Of the lines; one for all lines of a chart.
        crossing: How much the lines share the range of y: 0 = each in a band of its own, 1 = each
            anywhere.
        dashes: Share of the lines that are dashed.
        markers: Share of charts whose lines have markers.
        similar: Charts with lines in shades of one hue.
        grey: Charts without colour.
        grid: Charts with grid lines.
        legend: Charts with a legend.
        dark: Charts on a dark page.
        noise: Standard deviation of the pixels' noise in units of their range.
    """

    width_min: int = 240
    width_max: int = 480
    height_min: int = 180
    height_max: int = 320
    lines_min: int = 2
    lines_max: int = 8
    thickness_min: float = 1.0
    thickness_max: float = 2.5
    crossing: float = 1.0
    dashes: float = 0.15
    markers: float = 0.2
    similar: float = 0.15
    grey: float = 0.15
    grid: float = 0.4
    legend: float = 0.5
    dark: float = 0.1
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("width", 96), ("height", 96), ("lines", 1), ("thickness", 0.5)):
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if not least <= low <= high:
                raise InputError(
                    f"{name}_min={low}, {name}_max={high}: they must be at least {least}, the "
                    "first not above the second"
                )
        if self.lines_max > 12:
            raise InputError(f"lines_max is {self.lines_max}; palettes have 12 colours")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be in 0 to 1, got {getattr(self, name)}")
        if not 0 <= self.noise < 0.5:
            raise InputError(f"noise must be at least 0 and below 0.5, got {self.noise}")


@dataclass(frozen=True)
class Chart:
    """A generated chart; ``code``, ``line_xy`` and ``line_of`` are those of
    :class:`~geoinfluencer.datasets.line_sample.LineTruth`.

    Attributes:
        image: (H, W, 3) uint8.
        code: (H, W) int32. Axes, text and legend are background; pixels that two lines cover are
            ignored; where something lies over a line its pixels are that thing's.
        line_xy: (P, 2) float32; they also run through the gaps of dashes and below a legend.
        line_of: (P,) int64.
    """

    image: np.ndarray
    code: np.ndarray
    line_xy: np.ndarray
    line_of: np.ndarray


def generate_chart(rng: np.random.Generator, options: ChartOptions) -> Chart:
    """Draw one chart; the generator alone decides."""
    height = int(rng.integers(options.height_min, options.height_max + 1))
    width = int(rng.integers(options.width_min, options.width_max + 1))
    count = int(rng.integers(options.lines_min, options.lines_max + 1))
    dark = rng.random() < options.dark
    kind = rng.choice(
        ("grey", "similar", "palette"),
        p=_kinds(options),
    )
    page, colours = page_colours(rng, dark=dark), line_colours(rng, count, kind, dark=dark)
    legend = rng.choice(("none", "inside", "beside"), p=_places(options, width))
    box = _plot_area(rng, width, height, beside=legend == "beside")
    canvas = Canvas((height, width), page["page"])
    _furnish(rng, canvas, box, page, grid=rng.random() < options.grid)
    few = bool(rng.random() < options.markers)
    lines = _lines(rng, box, count, options, few=few)
    thickness = rng.uniform(options.thickness_min, options.thickness_max)
    dashes = [_dashes(rng, thickness, options.dashes) for _ in range(count)]
    for line, colour, dash in zip(lines, colours, dashes, strict=True):
        ink = stroke_coverage(segments_of(line), canvas.size, thickness, dash)
        if few:
            points = np.repeat(line[:, None], 2, axis=1)  # segments without length are dots
            ink = np.maximum(ink, stroke_coverage(points, canvas.size, thickness + 3))
        canvas.lay(ink, colour, line=True)
    if legend != "none":
        _legend(rng, canvas, box, page["ink"], colours, dashes, thickness, legend == "beside")
    pixels = canvas.pixels + options.noise * rng.normal(size=canvas.pixels.shape)
    return Chart(
        image=np.rint(pixels.clip(0, 1) * 255).astype(np.uint8),
        code=canvas.code(),
        line_xy=np.concatenate(lines).astype(np.float32),
        line_of=np.repeat(np.arange(count), [len(line) for line in lines]),
    )


def _kinds(options: ChartOptions) -> list[float]:
    grey = options.grey
    similar = min(options.similar, 1 - grey)
    return [grey, similar, 1 - grey - similar]


def _places(options: ChartOptions, width: int) -> list[float]:
    beside = options.legend / 2 if width >= 200 else 0.0
    return [1 - options.legend, options.legend - beside, beside]


def _plot_area(
    rng: np.random.Generator, width: int, height: int, *, beside: bool
) -> tuple[float, float, float, float]:
    right = width - (rng.uniform(66, 80) if beside else rng.uniform(8, 20))
    left, top = rng.uniform(30, 44), rng.uniform(8, 26)
    bottom = height - rng.uniform(22, 34)
    return round(left), round(top), round(right), round(bottom)


def _furnish(
    rng: np.random.Generator,
    canvas: Canvas,
    box: tuple[float, float, float, float],
    page: dict[str, np.ndarray],
    *,
    grid: bool,
) -> None:
    left, top, right, bottom = box
    canvas.pixels[round(top) : round(bottom), round(left) : round(right)] = page["panel"]
    height = float(rng.uniform(6, 9))
    framed = bool(rng.random() < 0.4)
    frame, labels, lines = axes(rng, box, framed=framed, label_height=height)
    if grid:
        canvas.lay(stroke_coverage(lines, canvas.size, 1.0), page["grid"])
    canvas.lay(stroke_coverage(frame, canvas.size, 1.0), page["ink"])
    if top >= 18 and rng.random() < 0.6:
        letters = int(rng.integers(6, 16))
        middle = (left + right - text_width(9.0, letters)) / 2
        labels = np.concatenate([labels, text(rng, (middle, 4.0), 9.0, letters)])
    canvas.lay(stroke_coverage(labels, canvas.size, 1.0), page["ink"])


def _lines(
    rng: np.random.Generator,
    box: tuple[float, float, float, float],
    count: int,
    options: ChartOptions,
    *,
    few: bool,
) -> list[np.ndarray]:
    """Polylines (P, 2) within the plot area; some begin later or end earlier than the axis."""
    left, top, right, bottom = box
    lines = []
    for number in range(count):
        points = curve(rng, SHAPES[rng.integers(len(SHAPES))], few=few)
        low, high = np.sort(rng.uniform(0.03, 0.97, 2))
        if high - low < 0.2:
            low, high = max(low - 0.1, 0.03), min(high + 0.1, 0.97)
        share = options.crossing
        low = share * low + (1 - share) * (number + 0.15) / count
        high = share * high + (1 - share) * (number + 0.85) / count
        start = rng.choice((0.0, 0.0, rng.uniform(0, 0.3)))
        end = rng.choice((1.0, 1.0, rng.uniform(0.7, 1)))
        x = start + (end - start) * points[:, 0]
        y = low + (high - low) * points[:, 1]
        lines.append(np.stack([left + x * (right - left), bottom - y * (bottom - top)], axis=1))
    return lines


def _dashes(rng: np.random.Generator, thickness: float, share: float) -> tuple[float, float] | None:
    lengths = (float(rng.uniform(1.5, 8) + thickness), float(rng.uniform(2, 4) + thickness))
    return lengths if rng.random() < share else None


def _legend(
    rng: np.random.Generator,
    canvas: Canvas,
    box: tuple[float, float, float, float],
    ink: np.ndarray,
    colours: np.ndarray,
    dashes: list[tuple[float, float] | None],
    thickness: float,
    beside: bool,
) -> None:
    left, top, right, bottom = box
    step = min(13.0, (bottom - top - 8) / len(colours))
    x = right + 8 if beside else (left + 6 if rng.random() < 0.5 else right - 62)
    y = top + 8
    for number, (colour, dash) in enumerate(zip(colours, dashes, strict=True)):
        row = y + number * step
        stroke = np.array([[(x, row), (x + 18, row)]])
        canvas.lay(stroke_coverage(stroke, canvas.size, thickness, dash), colour)
        label = text(rng, (x + 23, row - 3.5), 7.0, int(rng.integers(3, 7)))
        canvas.lay(stroke_coverage(label, canvas.size, 1.0), ink)
