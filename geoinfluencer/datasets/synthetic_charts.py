"""Generated line charts as a PyG dataset of pixel graphs."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Literal

import numpy as np
from torch_geometric.data import Dataset

from geoinfluencer.datasets.chart_generator import Chart, ChartOptions, generate_chart
from geoinfluencer.datasets.generated import kept_on_disk, members, stream
from geoinfluencer.datasets.line_sample import LineTruth
from geoinfluencer.datasets.line_set import LineSet
from geoinfluencer.datasets.lines import Lines

_VERSION = 1  # raise when a seed no longer gives the same chart


class SyntheticCharts(LineSet):
    r"""Seeded line charts: anti-aliased crossing curves with axes, ticks, labels and a legend.

    ``pos`` is in **pixels**. Nodes are pixels of ink; instances are lines; axes, text, grid and
    legend are background, and pixels that two lines cover are ignored. ``line_xy`` and ``line_of``
    are the points of the lines. Chart ``i`` of a split depends on ``seed``, the split, ``i`` and
    the options alone, whatever the order or the number of workers; the splits are disjoint random
    streams. Nothing is stored unless ``root`` is given: then all charts are kept there.

    Args:
        root: Folder for generated charts; ``None`` = generate at every access.
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"``, or ``"all"`` = val, then test: the
            unseen charts.
        num_charts: Number of charts of this split; ``None`` = the split's own number below.
        train_charts: Number of training charts (an epoch).
        calib_charts: Number of charts for calibration.
        val_charts: Number of validation charts.
        test_charts: Number of test charts.
        seed: Seed of all splits.
        width_min: Least width in pixels.
        width_max: Largest width in pixels.
        height_min: Least height in pixels.
        height_max: Largest height in pixels.
        lines_min: Fewest lines.
        lines_max: Most lines, at most 12.
        thickness_min: Of the thinnest lines in pixels; one for all lines of a chart.
        thickness_max: Of the thickest lines in pixels.
        crossing: 1 = lines lie anywhere and cross; 0 = each in a band of its own.
        dashes: Share of the lines that are dashed.
        markers: Share of charts with markers on the lines.
        similar: Share of charts whose lines are shades of one hue.
        grey: Share of charts without colour.
        grid: Share of charts with grid lines.
        legend: Share of charts with a legend, inside or beside.
        dark: Share of charts on a dark page.
        noise: Standard deviation of the pixels' noise, in units of their range.
        mirror: Mirror training samples, left to right and upside down, with probability 1/2 each.
        keep: Number of built samples kept in memory, as long as they have less than 1 GiB together.
        graph: Options of :class:`~geoinfluencer.graphs.PixelGraph`.

    Raises:
        InputError: On options that make no sense.
    """

    file_reader: ClassVar[type[Dataset]] = Lines  # of images that a model is to predict

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: Literal["train", "calib", "val", "test", "all"] = "train",
        *,
        num_charts: int | None = None,
        train_charts: int = 1000,
        calib_charts: int = 20,
        val_charts: int = 50,
        test_charts: int = 100,
        seed: int = 0,
        width_min: int = 240,
        width_max: int = 480,
        height_min: int = 180,
        height_max: int = 320,
        lines_min: int = 2,
        lines_max: int = 8,
        thickness_min: float = 1.0,
        thickness_max: float = 2.5,
        crossing: float = 1.0,
        dashes: float = 0.15,
        markers: float = 0.2,
        similar: float = 0.15,
        grey: float = 0.15,
        grid: float = 0.4,
        legend: float = 0.5,
        dark: float = 0.1,
        noise: float = 0.0,
        mirror: bool = True,
        keep: int = 500,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(split, mirror=mirror, keep=keep, graph=graph)
        sizes = {"train": train_charts, "calib": calib_charts}
        sizes |= {"val": val_charts, "test": test_charts}
        self._charts = members(split, sizes, num_charts, seed, "charts")
        self.root = None if root is None else str(root)
        self.seed = seed
        self.options = ChartOptions(
            width_min=width_min,
            width_max=width_max,
            height_min=height_min,
            height_max=height_max,
            lines_min=lines_min,
            lines_max=lines_max,
            thickness_min=thickness_min,
            thickness_max=thickness_max,
            crossing=crossing,
            dashes=dashes,
            markers=markers,
            similar=similar,
            grey=grey,
            grid=grid,
            legend=legend,
            dark=dark,
            noise=noise,
        )
        self.has_truth = True

    def len(self) -> int:
        """Number of charts."""
        return len(self._charts)

    def chart(self, idx: int) -> Chart:
        """Return chart ``idx``: pixels and truth without a graph."""
        state = (_VERSION, self.seed, self.options)
        where = (self.root, "synthetic-charts", state, self._charts[idx])
        return kept_on_disk(*where, Chart, lambda: self._generate(idx))

    def image_and_truth(self, idx: int) -> tuple[np.ndarray, LineTruth]:
        """Pixels of chart ``idx``, (H, W, 3) uint8, its lines and what its pixels belong to."""
        chart = self.chart(idx)
        return chart.image, LineTruth(chart.code, chart.line_xy, chart.line_of)

    def image_name(self, idx: int) -> str:
        """Split and number of the chart."""
        split, number = self._charts[idx]
        return f"chart-{split}-{number:06d}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.split!r}, {len(self)})"

    def _generate(self, idx: int) -> Chart:
        rng = np.random.default_rng(stream(self.seed, self._charts[idx]))
        return generate_chart(rng, self.options)
