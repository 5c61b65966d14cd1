"""Charts whose nodes are pixels of lines: the ``nodes`` scores, and lines as points in order."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from torch import Tensor
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation.polylines import polylines
from geoinfluencer.files.coco_masks import encoded_labels, masks_available
from geoinfluencer.files.line_results import (
    ImageLines,
    line_entry,
    write_lines_csv,
    write_lines_json,
)
from geoinfluencer.files.spool import JsonSpool
from geoinfluencer.metrics import LineMetrics
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.lines import line_figures
from geoinfluencer.training.data import attribute
from geoinfluencer.training.scoring.image_inputs import ImageInput, image_inputs
from geoinfluencer.training.scoring.image_names import ImageNames
from geoinfluencer.training.scoring.image_pictures import picture_of, write_overlays
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks.image_records import ImageRecord, file_and_id, write_masks
from geoinfluencer.training.tasks.nodes import NodeTask

LINE_DEFINITIONS = {
    "line_6a": "agreement of lines matched one to one (F1, relative to the distance from the "
    "image's upper edge, as LineFormer's script has it) / true lines",
    "line_6b": "the same / the larger number of lines, true or predicted",
    "line_6a_placed": "line_6a with errors as shares of the chart's height, wherever it lies",
    "line_6b_placed": "line_6b with the same",
    "line_ari": "adjusted Rand index of the pixels that the true lines, drawn 2 pixels thick, "
    "cover: by true line, and by the nearest predicted one",
    "count_error": "mean difference of the numbers of predicted and true lines of an image",
    "count_exact": "share of the images with as many predicted as true lines",
    "ceiling_6a": "line_6a of the lines through the true pixels: what no grouping exceeds by much",
    "ceiling_6b": "line_6b of the same",
}


@dataclass(frozen=True)
class LineRecord:
    """What was predicted for an image: its nodes here, its lines put aside.

    Attributes:
        nodes: As of the ``nodes`` protocol.
        spool: Holds ``found``, and where the truth is known ``truth`` and ``perfect``.
        place: Where in it.
        has_truth: Whether the sample has true lines to score against.
        image: The same as masks, ``masks`` of the spool; None: without the way back to pixels.
    """

    name: str
    nodes: pd.DataFrame
    spool: JsonSpool
    place: int
    has_truth: bool
    image: ImageRecord | None = None

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Lines ``found``, ``truth`` or ``perfect``, as files hold them."""
        return list(self.spool.read(self.place)[kind])

    def points(self, kind: str) -> list[np.ndarray]:
        """The points (P, 2) of each."""
        return [np.asarray(line["xy"], np.float64).reshape(-1, 2) for line in self.lines(kind)]


class LineTask(NodeTask):
    """Scores on pixels in training; on an evaluation those of lines, which are written too.

    Samples have pixel centres ``pos`` (N, 2), x and y, and, where the truth is known, ``line_xy``
    (P, 2) and ``line_of`` (P,): the points of all lines and the line of each.
    """

    protocol: ClassVar[str] = "lines"

    def __init__(self, samples: object) -> None:
        super().__init__(samples)
        self._samples = samples
        self._category: int = next(iter(attribute(samples, "category_ids", ())), 1)
        self._image_ids: Mapping[Path, int] = attribute(samples, "image_ids", {})
        self._inputs: Sequence[ImageInput] = ()
        self._spool: JsonSpool | None = None

    def record(self, result: SampleResult) -> LineRecord:  # type: ignore[override]
        assert result.instances is not None
        sample, found = result.sample, result.instances
        pos = sample.pos.numpy()
        score = found.score.double().numpy()
        kept = {"found": _entries(pos, found.instance.numpy(), score)}
        truth, owner = sample.get("line_xy"), sample.get("line_of")
        instance = self.common_arrays(result).get("truth")
        if truth is not None and owner is not None and instance is not None:
            points, line = truth.numpy(), owner.numpy()
            count = line.max(initial=-1) + 1
            kept["truth"] = [line_entry(points[line == k], 1.0) for k in range(count)]
            kept["perfect"] = _entries(pos, instance, np.ones(instance.max(initial=-1) + 1))
        segment, size = sample.get("segment_map"), sample.get("image_size")
        drawn = segment is not None and size is not None and masks_available()
        if drawn:
            kept["masks"] = self._masks(found.instance.numpy(), score, segment.numpy(), size[0])
        self._spool = self._spool or JsonSpool()
        place = self._spool.add(kept)
        file_name = sample.get("file_name")
        name = result.name if file_name is None else str(PurePosixPath(file_name).with_suffix(""))
        nodes = super().record(result)
        image = self._image_record(sample, name, nodes, self._spool, place) if drawn else None
        return LineRecord(name, nodes, self._spool, place, "truth" in kept, image)

    def write_predictions(self, records: Sequence[LineRecord], folder: Path) -> list[Path]:  # type: ignore[override]
        """``predictions.csv`` of the pixels, ``lines.json`` and ``lines.csv`` of the lines."""
        written = super().write_predictions([each.nodes for each in records], folder)
        as_json, as_csv = folder / "lines.json", folder / "lines.csv"
        write_lines_json(as_json, _all_lines(records))
        write_lines_csv(as_csv, _all_lines(records))
        written += [as_json, as_csv]
        images = [each.image for each in records if each.image is not None]
        if len(images) < len(records):
            if not masks_available():
                warnings.warn(
                    "no masks of the lines and no overlays: they need pycocotools, "
                    "pip install 'geoinfluencer[images]'",
                    stacklevel=2,
                )
            return written
        return written + write_masks(images, "masks", folder)

    def write_pictures(
        self, records: Sequence[LineRecord], folder: Path, most: int | None = None
    ) -> list[Path]:
        """``overlays/NAME.png``, the lines' pixels over their images; returns that folder."""
        images = (each.image for each in records if each.image is not None)
        pictures = ((each.name, each.picture, each.masks("masks", 0)) for each in images)
        return [folder / "overlays"] if write_overlays(pictures, folder, most) else []

    def metrics_of(self, records: Sequence[LineRecord]) -> dict[str, Any]:
        """The scores of the lines, where all images have true ones, and their ceiling."""
        if not records or not all(each.has_truth for each in records):
            return {}
        scores, ceiling = LineMetrics(), LineMetrics()
        for each in records:
            truth = each.points("truth")
            scores.update(each.points("found"), truth)
            ceiling.update(each.points("perfect"), truth)
        best = ceiling.compute()
        return {
            **scores.compute(),
            "ceiling_6a": best["line_6a"],
            "ceiling_6b": best["line_6b"],
        }

    def open_input(self, path: Path, cls: type, options: Mapping[str, Any]) -> Dataset[Data]:
        self._samples = super().open_input(path, cls, options)
        self._inputs = image_inputs(path, cls)
        return self._samples

    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        arrays = self.common_arrays(result)
        picture = picture_of(self._samples, result.sample)
        if picture is not None and "segment_map" in result.sample:  # without, it may be mirrored
            arrays["image"] = picture()
        if result.sample.get("image_size") is not None:
            arrays["image_size"] = result.sample["image_size"].numpy()
        assert result.instances is not None
        instance = result.instances.instance.numpy()
        lines = polylines(arrays["pos"], instance, len(result.instances))
        arrays["line_xy"] = np.concatenate([np.zeros((0, 2), np.float32), *lines])
        arrays["line_of"] = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
        return arrays

    def sample_figures(self, arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
        return line_figures(arrays, name)

    def _masks(
        self, instance: np.ndarray, score: np.ndarray, segment: np.ndarray, size: Tensor
    ) -> list[dict[str, Any]]:
        pixels = np.where(segment < 0, -1, instance[segment]).reshape(size.tolist())
        return [
            {"category_id": self._category, "segmentation": mask, "score": value}
            for mask, value in zip(encoded_labels(pixels, len(score)), score.tolist(), strict=True)
        ]

    def _image_record(
        self, sample: Data, name: str, nodes: pd.DataFrame, spool: JsonSpool, place: int
    ) -> ImageRecord:
        source, number = file_and_id(sample, self._inputs, self._image_ids)
        height, width = sample.image_size[0].tolist()
        return ImageRecord(
            name, nodes, number, False, spool, place,
            picture=picture_of(self._samples, sample), size=(width, height), source=source,
        )  # fmt: skip

    def definitions(self) -> dict[str, str]:
        return {**LINE_DEFINITIONS, **super().definitions()}


def _entries(pos: np.ndarray, instance: np.ndarray, score: np.ndarray) -> list[dict[str, Any]]:
    lines = polylines(pos, instance, len(score))
    return [line_entry(xy, value) for xy, value in zip(lines, score.tolist(), strict=True)]


def _all_lines(records: Sequence[LineRecord]) -> Iterator[ImageLines]:
    names = ImageNames()
    for each in records:
        yield names(each.name), each.lines("found")
