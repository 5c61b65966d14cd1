"""Masks in images: the COCO protocol, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.metrics.coco_boundary import border_code, bound_by_borders
from geoinfluencer.metrics.coco_results import checked_results
from geoinfluencer.metrics.coco_truth import CocoTruth

_AREAS = ("all", "small", "medium", "large")  # in the evaluator's order
_BOUNDARY = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
_FIXED = (1, 10, 100)  # predictions per image of ar1, ar10 and ar100
BACKENDS = ("pycocotools", "faster-coco-eval")


class CocoMetrics:
    r"""COCO's twelve numbers for instance masks (`Lin et al., ECCV 2014
    <https://arxiv.org/abs/1405.0312>`_), as pycocotools computes them.

    ============================ ==================================================================
    ``ap ap50 ap75``             average precision: over the IoU .50, .55 ... .95; at .50; at .75
    ``ap_small _medium _large``  ``ap`` of objects below 32^2 pixels, up to 96^2, and above
    ``ar1 ar10 ar100``           average recall over the same IoU with that many predictions
    ``ar_small _medium _large``  recall by area
    ``ar``                       recall with ``max_dets`` predictions, if that is none of these
    ============================ ==================================================================

    Values are means over the categories that have objects; of each image and category the
    ``max_dets`` best scored predictions count. Every image of the truth is scored, whether anything
    was found in it or not. Crowds are ignored, not missed. What has no objects is nan.

    Args:
        max_dets: Predictions of an image and category that count, at most.
        class_agnostic: Take no notice of categories; ``max_dets`` is then of an image.
        backend: ``"pycocotools"``, or ``"faster-coco-eval"`` (the extra
            ``geoinfluencer[fast-coco]``), which gives equal numbers in less time.
        boundary: Compute boundary AP too, at some milliseconds a mask: ``boundary_ap``, ``_ap50``
            and the others, see :func:`~geoinfluencer.metrics.coco_boundary.bound_by_borders`.

    Raises:
        InputError: ``max_dets`` is below 1, or the backend is unknown or has no boundary AP.
    """

    protocol = "coco"

    def __init__(
        self,
        *,
        max_dets: int = 100,
        class_agnostic: bool = False,
        boundary: bool = False,
        backend: str = "pycocotools",
    ) -> None:
        if max_dets < 1:
            raise InputError(f"max_dets must be at least 1, got {max_dets}")
        if backend not in BACKENDS:
            raise InputError(f"backend {backend!r} is unknown; {suggest(backend, BACKENDS)}")
        if boundary and backend != BACKENDS[0]:
            raise InputError(f"backend {backend}: has no boundary AP; take {BACKENDS[0]}")
        self.backend = backend
        self.max_dets = max_dets
        self.class_agnostic = class_agnostic
        self.boundary = boundary
        self._computed: dict[str, float] = {}

    @property
    def window(self) -> dict[str, Any]:
        """What the scores were restricted to."""
        return {"max_dets": self.max_dets}

    def update(self, results: Iterable[Any], truth: CocoTruth, source: str = "results") -> None:
        """Score results: all of a set at once, since precision ranks them over the images.

        Args:
            results: Entries as in a results file; they stay as they are.
            truth: The images to be scored.
            source: What to call the results in an error.

        Raises:
            InputError: On results that do not fit; names the entry. On a second call.
        """
        if self._computed:
            raise InputError(
                f"{source}: results were scored before; give those of all images at once"
            )
        found = checked_results(results, truth, source)
        evaluator = _evaluator(source, truth, truth.objects, found, self.backend)
        self._computed = self._run(evaluator)
        if self.boundary:
            borders = _evaluator(source, truth, _borders(truth.objects), _borders(found))
            evaluator = _evaluator(source, truth, truth.objects, found)
            numbers = self._run(bound_by_borders(evaluator, borders))
            self._computed |= {f"boundary_{key}": numbers[key] for key in _BOUNDARY}
        self._computed |= {
            "num_images": len(truth.sizes),
            "num_objects": sum(not each["iscrowd"] for each in truth.objects),
            "num_detections": len(found),
            "most_objects": self._most(each for each in truth.objects if not each["iscrowd"]),
            "most_detections": self._most(found),
        }

    def compute(self) -> dict[str, float]:
        """The numbers; besides, ``num_images``, ``num_objects`` and ``num_detections``, and the
        most objects and detections that one image (and category) has."""
        return dict(self._computed)

    def _run(self, evaluator: Any) -> dict[str, float]:
        evaluator.params.maxDets = sorted({*_FIXED, self.max_dets})
        evaluator.params.useCats = int(not self.class_agnostic)
        with contextlib.redirect_stdout(io.StringIO()):
            evaluator.evaluate()
            evaluator.accumulate()
        return self._numbers(evaluator.eval, evaluator.params)

    def _numbers(self, found: dict[str, np.ndarray], params: Any) -> dict[str, float]:
        # precision (T, R, C, areas, max_dets), recall (T, C, areas, max_dets); -1 = no objects
        precision, recall = found["precision"], found["recall"]
        caps, thresholds = list(params.maxDets), np.round(params.iouThrs, 2)
        here = caps.index(self.max_dets)
        numbers = {"ap": _mean(precision[:, :, :, 0, here])}
        for name, iou in (("ap50", 0.5), ("ap75", 0.75)):
            numbers[name] = _mean(precision[thresholds == iou, :, :, 0, here])
        for a, area in enumerate(_AREAS[1:], 1):
            numbers[f"ap_{area}"] = _mean(precision[:, :, :, a, here])
        for cap in _FIXED:
            numbers[f"ar{cap}"] = _mean(recall[:, :, 0, caps.index(cap)])
        for a, area in enumerate(_AREAS[1:], 1):
            numbers[f"ar_{area}"] = _mean(recall[:, :, a, here])
        if self.max_dets not in _FIXED:
            numbers["ar"] = _mean(recall[:, :, 0, here])
        return numbers

    def _most(self, entries: Iterable[dict[str, Any]]) -> int:
        owner = Counter(
            (each["image_id"], None if self.class_agnostic else each["category_id"])
            for each in entries
        )
        return max(owner.values(), default=0)


def _mean(values: np.ndarray) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else float("nan")


def _borders(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "segmentation": border_code(each["segmentation"])} for each in entries]


def _evaluator(
    source: str,
    truth: CocoTruth,
    objects: Sequence[dict[str, Any]],
    found: Sequence[dict[str, Any]],
    backend: str = BACKENDS[0],
) -> Any:
    if backend != BACKENDS[0]:
        return _fast_evaluator(source, truth, objects, found)
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise InputError(
            f"{source}: COCO scores need pycocotools, which is not installed: "
            "pip install 'geoinfluencer[images]'"
        ) from error
    return COCOeval(_index(COCO, truth, objects), _index(COCO, truth, found), "segm")


def _fast_evaluator(
    source: str,
    truth: CocoTruth,
    objects: Sequence[dict[str, Any]],
    found: Sequence[dict[str, Any]],
) -> Any:
    """The evaluator of `faster-coco-eval <https://github.com/MiXaiLL76/faster_coco_eval>`_."""
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        raise InputError(
            f"{source}: --backend {BACKENDS[1]} needs that package, which is not installed: "
            "pip install 'geoinfluencer[fast-coco]'"
        ) from error
    both = _index(COCO, truth, objects), _index(COCO, truth, found)
    return COCOeval_faster(*both, "segm", print_function=lambda *_: None)


def _index(cls: Any, truth: CocoTruth, entries: Sequence[dict[str, Any]]) -> Any:
    index = cls()
    # The evaluator matches by ids from 1 and writes into the entries.
    annotations = [{**entry, "id": number} for number, entry in enumerate(entries, 1)]
    index.dataset = {
        "images": [{"id": i, "height": h, "width": w} for i, (h, w) in truth.sizes.items()],
        "categories": [{"id": number} for number in truth.categories],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        index.createIndex()
    return index
