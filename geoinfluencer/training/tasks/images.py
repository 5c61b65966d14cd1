"""Images whose nodes are segments: the ``nodes`` scores, and masks as COCO has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.files.coco_masks import encoded_labels
from geoinfluencer.files.spool import JsonSpool
from geoinfluencer.metrics import CocoMetrics
from geoinfluencer.metrics.coco_truth import CocoTruth, coco_truth_of, read_coco_truth
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.image_panels import image_figures
from geoinfluencer.training.data import attribute
from geoinfluencer.training.scoring.image_inputs import ImageInput, image_inputs
from geoinfluencer.training.scoring.image_pictures import (
    display_of,
    picture_of,
    write_overlays,
)
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks.image_records import (
    ImageRecord,
    all_masks,
    file_and_id,
    write_masks,
)
from geoinfluencer.training.tasks.nodes import NodeTask

_DEFINITIONS = {
    "ap": "COCO mask AP: precision averaged over recall, IoU thresholds .50 to .95 and categories",
    "ap50": "the same at IoU .50",
    "ap75": "the same at IoU .75",
    "ap_small": "ap of objects below 32^2 pixels",
    "ap_medium": "ap of objects of 32^2 to 96^2 pixels",
    "ap_large": "ap of objects above 96^2 pixels",
    "ar1": "COCO recall, averaged as ap, with one prediction per image and category",
    "ar10": "the same with 10",
    "ar100": "the same with 100",
    "ar_small": "recall with max_dets predictions, of small objects",
    "ar_medium": "the same of medium objects",
    "ar_large": "the same of large objects",
    "ar": "the same of all objects",
    "boundary_ap": "ap with the lesser of the IoU of masks and that of their borders, 2 % of the "
    "image's diagonal wide",
    "boundary_ap50": "the same at .50",
    "boundary_ap75": "the same at .75",
    "boundary_ap_small": "boundary_ap of small objects",
    "boundary_ap_medium": "the same of medium objects",
    "boundary_ap_large": "the same of large objects",
    "ceiling_ap": "ap of the true grouping of the same segments: what no grouping of them exceeds "
    "by much where every pixel gets the instance of its segment",
    "pixel_ceiling_ap": "ap of the true grouping of the same segments with the pixels assigned by "
    "the model: what no grouping of them exceeds by much with these affinities",
    "max_dets": "predictions of an image and category that COCO scores count at most",
}
_OF_MODEL = ("ap", "ap50", "max_dets", "most_objects", "most_detections")


class ImageTask(NodeTask):
    """Scores on segments, masks on disk, and COCO AP where the dataset names its annotations.

    Samples have ``segment_map`` (H W,) and ``image_size`` (1, 2); without them there are scores of
    segments alone. The dataset may have ``annotation_file`` (COCO
    JSON) or ``coco_content()`` (its content); its samples then have ``image_id`` (1,); and
    ``category_ids``, the category of each class;
    without the latter class c is category c + 1. Without classes every mask gets the first
    category, and scores take no notice of categories. ``image_ids`` are those of image files that
    ``predict`` reads.
    """

    protocol: ClassVar[str] = "images"

    def __init__(self, samples: object) -> None:
        super().__init__(samples)
        self._categories: tuple[int, ...] = tuple(attribute(samples, "category_ids", ()))
        self._annotations: Path | None = attribute(samples, "annotation_file", None)
        self._content: Callable[[], Any] | None = attribute(samples, "coco_content", None)
        self._image_ids: Mapping[Path, int] = attribute(samples, "image_ids", {})
        self._samples = samples
        self._inputs: Sequence[ImageInput] = ()
        self._spool: JsonSpool | None = None

    def record(self, result: SampleResult) -> ImageRecord:  # type: ignore[override]
        assert result.instances is not None
        sample, found = result.sample, result.instances
        segment, size = sample.get("segment_map"), sample.get("image_size")
        labelled = found.label is not None and not self.class_agnostic(sample, found)
        source, image_id = file_and_id(sample, self._inputs, self._image_ids)
        nodes = super().record(result)
        if segment is None or size is None:
            return ImageRecord(result.name, nodes, image_id, labelled, None, -1)
        shape = size[0].tolist()
        pixels = result.pixel_instances(found.instance)
        assigned = pixels is not None
        if pixels is None:
            pixels = found.instance[segment.long()]
        labels = None if found.label is None else found.label.numpy()
        found_masks = self._entries(pixels.numpy().reshape(shape), labels, found.score.numpy())
        kept = {"found": found_masks}
        truth = self.common_arrays(result).get("truth")
        if truth is not None:
            y = sample.get("y")
            classes = None if y is None else _class_of_instances(truth, y.numpy())
            sure = np.ones(truth.max(initial=-1) + 1)
            kept["perfect"] = self._entries(truth[segment.numpy()].reshape(shape), classes, sure)
            best = result.pixel_instances(torch.from_numpy(truth))
            if best is not None:
                kept["pixel_perfect"] = self._entries(best.numpy().reshape(shape), classes, sure)
        self._spool = self._spool or JsonSpool()
        place = self._spool.add(kept)
        return ImageRecord(
            result.name,
            nodes,
            image_id,
            labelled,
            self._spool,
            place,
            assigned,
            picture_of(self._samples, sample),
            (shape[1], shape[0]),
            source,
        )

    def write_predictions(self, records: Sequence[ImageRecord], folder: Path) -> list[Path]:  # type: ignore[override]
        """``predictions.csv`` of the segments; ``coco_results.json`` of the masks, which are read
        back one image at a time; of image files ``images.json``, the ids that they have there, see
        :func:`~geoinfluencer.training.tasks.image_records.image_ids`."""
        written = super().write_predictions([each.nodes for each in records], folder)
        if not all(each.has_masks for each in records):
            return written
        return written + write_masks(records, "found", folder)

    def write_pictures(
        self, records: Sequence[ImageRecord], folder: Path, most: int | None = None
    ) -> list[Path]:
        """``overlays/NAME.png``, the masks over their images; returns that folder."""
        pictures = ((each.name, each.picture, each.masks("found", 0)) for each in records)
        return [folder / "overlays"] if write_overlays(pictures, folder, most) else []

    def open_input(self, path: Path, cls: type, options: Mapping[str, Any]) -> Dataset[Data]:
        self._samples = super().open_input(path, cls, options)
        self._inputs = image_inputs(path, cls)
        return self._samples

    def display_arrays(self, result: SampleResult) -> dict[str, np.ndarray]:
        return {**super().display_arrays(result), **display_of(self._samples, result)}

    def sample_figures(self, arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
        drawn = image_figures if "image" in arrays else super().sample_figures
        return drawn(arrays, name)

    def metrics_of(self, records: Sequence[ImageRecord]) -> dict[str, Any]:
        """``ap``, ``ap50`` of the masks against the annotation file, ``ceiling_ap``, and
        ``pixel_ceiling_ap`` of a model that assigns pixels."""
        numbers = [each.image_id for each in records if each.image_id is not None]
        whole = len(numbers) == len(records) and all(each.has_masks for each in records)
        truth = self._truth() if whole else None
        if truth is None:
            return {}
        truth = truth.only(numbers)
        agnostic = not all(each.labelled for each in records)
        scores = {}
        ceilings = {"ceiling_ap": "perfect"}
        if all(each.assigned for each in records):
            ceilings["pixel_ceiling_ap"] = "pixel_perfect"
        for kind in ("found", *ceilings.values()):
            metric = CocoMetrics(class_agnostic=agnostic)
            metric.update(all_masks(records, kind), truth, f"{kind} masks")
            scores[kind] = {**metric.compute(), **metric.window}
        found = {key: scores["found"][key] for key in _OF_MODEL}
        return {**found, **{key: scores[kind]["ap"] for key, kind in ceilings.items()}}

    def warnings(self, metrics: Mapping[str, Any]) -> list[str]:
        """Where the cap on predictions bites."""
        cap = metrics.get("max_dets")
        kinds = {"most_objects": "true instances", "most_detections": "predictions"}
        return [
            f"an image has {metrics[key]} {what} of one category, COCO scores count the best "
            f"{cap}: see --max-dets of eval --pred"
            for key, what in kinds.items()
            if cap is not None and metrics.get(key, 0) > cap
        ]

    def definitions(self) -> dict[str, str]:
        return {**_DEFINITIONS, **super().definitions()}

    def _truth(self) -> CocoTruth | None:
        if self._content is not None:
            return coco_truth_of(self._content(), "the truth of the dataset")
        return None if self._annotations is None else read_coco_truth(self._annotations)

    def _entries(
        self,
        pixels: np.ndarray,  # (H, W) instance of each pixel, -1 = none
        labels: np.ndarray | None,  # (K,)
        score: np.ndarray,  # (K,)
    ) -> list[dict[str, Any]]:
        masks = encoded_labels(pixels, len(score))
        numbers = [0] * len(masks) if labels is None else labels.tolist()
        # an instance can lose all its pixels to its neighbours
        present = np.isin(np.arange(len(score)), pixels).tolist()
        return [
            {"category_id": self._category(label), "segmentation": mask, "score": value}
            for mask, label, value, there in zip(
                masks, numbers, score.tolist(), present, strict=True
            )
            if there
        ]

    def _category(self, label: int) -> int:
        return self._categories[label] if label < len(self._categories) else label + 1


def _class_of_instances(instance: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(K,) class of the instances 0 ... K - 1, all of whose nodes have the same."""
    classes = np.zeros(instance.max(initial=-1) + 1, np.int64)
    classes[instance[instance >= 0]] = y[instance >= 0]
    return classes
