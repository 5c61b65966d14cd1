"""Scores of a baseline on the samples that graph models are scored on, by the same metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.condensation import Instances
from geoinfluencer.datasets.pixel_codes import FIRST
from geoinfluencer.files.coco_entries import write_results
from geoinfluencer.files.coco_masks import encoded_labels
from geoinfluencer.metrics import CocoMetrics
from geoinfluencer.metrics.coco_truth import CocoTruth, read_coco_truth
from geoinfluencer.training.data import attribute
from geoinfluencer.training.fitting.progress import Progress
from geoinfluencer.training.pixel_baseline.samples import PixelSamples, behind
from geoinfluencer.training.scoring.inference import SampleResult
from geoinfluencer.training.tasks import make_task

Masks = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Nodes = Callable[[np.ndarray, Data], Instances]


def score_masks(
    samples: PixelSamples, masks: Masks, out: Path | None = None, *, quiet: bool = True
) -> dict[str, Any]:
    """COCO's numbers, class-agnostic, of the objects found in each image; ``coco_results.json``.

    The truth is the annotation file of the dataset where it has one, else its painted pixels.
    ``ceiling_ap`` is of the true pixels themselves, of which each has one object only.

    Args:
        samples: whole images with truth.
        masks: an image -> (H, W) objects 0.., -1 for none, and (K,) scores.
        out: folder of the results; None: writes nothing.
        quiet: no progress.
    """
    numbers = [_image_id(samples, index) for index in range(len(samples))]
    truth = _truth(samples, numbers)
    entries: list[dict[str, Any]] = []
    perfect: list[dict[str, Any]] = []
    seconds = 0.0

    def results(index: int, label: np.ndarray, score: np.ndarray) -> Iterator[dict[str, Any]]:
        for code, value in zip(encoded_labels(label, len(score)), score.tolist(), strict=True):
            yield {
                "image_id": numbers[index],
                "category_id": truth.categories[0],
                "segmentation": code,
                "score": value,
            }

    for index in _progress(len(samples), quiet):
        start = time.perf_counter()
        label, score = masks(samples.image(index))
        seconds += time.perf_counter() - start
        entries += results(index, label, score)
        true = samples.codes(index).astype(np.int64) - FIRST
        perfect += results(index, np.maximum(true, -1), np.ones(true.max(initial=-1) + 1))
    if out is not None:
        write_results(out / "coco_results.json", entries)
    metric, ceiling = CocoMetrics(class_agnostic=True), CocoMetrics(class_agnostic=True)
    metric.update(entries, truth, "masks of the baseline")
    ceiling.update(perfect, truth, "true masks")
    return {
        **metric.compute(),
        **metric.window,
        "ceiling_ap": ceiling.compute()["ap"],
        "protocol": "coco",
        "class_agnostic": True,
        "ms_per_image": 1e3 * seconds / len(samples),
    }


def score_nodes(
    samples: PixelSamples, nodes: Nodes, out: Path | None = None, *, quiet: bool = True
) -> dict[str, Any]:
    """The protocol's own metrics, and its own files, of the groups of pixels of each image.

    Args:
        samples: of a dataset whose graphs have pixels for nodes.
        nodes: an image and its graph -> instances.
        out: folder of what the protocol writes; None: writes nothing.
        quiet: no progress.
    """
    graphs: Dataset[Data] = samples.samples
    task = make_task(graphs)
    metric, records, seconds = task.new_metric(), [], 0.0
    for index in _progress(len(samples), quiet):
        graph, image = graphs[index], samples.image(index)
        start = time.perf_counter()
        found = nodes(image, graph)
        seconds += time.perf_counter() - start
        task.update(metric, graph, found)
        nothing = torch.zeros(len(found.instance), 1)
        records.append(task.record(SampleResult(graph, nothing, nothing, instances=found)))
    if out is not None:
        task.write_predictions(records, out)
    return {
        **metric.compute(),
        **task.metrics_of(records),
        "num_samples": len(samples),
        "protocol": task.protocol,
        "class_agnostic": True,
        "ms_per_image": 1e3 * seconds / len(samples),
    }


def _progress(total: int, quiet: bool) -> Iterable[int]:
    progress = Progress("scoring", total, unit="images", enabled=not quiet)
    progress.begin(0)
    for index in range(total):
        yield index
        progress.update(index + 1)
    progress.clear()


def _image_id(samples: PixelSamples, index: int) -> int:
    dataset, place = behind(samples.samples, index)
    name = getattr(dataset, "image_id", None)
    number = None if name is None else name(place)
    return index + 1 if number is None else int(number)


def _truth(samples: PixelSamples, numbers: list[int]) -> CocoTruth:
    file = attribute(samples.samples, "annotation_file", None)
    if file is not None:
        return read_coco_truth(file).only(numbers)
    sizes, objects = {}, []
    for index, number in enumerate(numbers):
        code = samples.codes(index)
        sizes[number] = code.shape[:2]
        present, label = np.unique(code, return_inverse=True)
        area = np.bincount(label.ravel())
        masks = encoded_labels(label.reshape(code.shape), len(present))
        objects += [
            {
                "image_id": number,
                "category_id": 1,
                "iscrowd": int(value == 1),
                "area": float(pixels),
                "segmentation": {**mask, "counts": mask["counts"].encode("ascii")},
            }
            for value, pixels, mask in zip(present.tolist(), area.tolist(), masks, strict=True)
            if value
        ]
    return CocoTruth("the dataset", sizes, (1,), tuple(objects))
