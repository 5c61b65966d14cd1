"""Files of scenes that are scored by a protocol of point clouds: words, tables, warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from geoinfluencer.metrics.scannet import class_table
from geoinfluencer.training.tasks.nodes import NodeTask

INSTANCE_DEFINITIONS = {
    "ap": "ScanNet AP: mean over classes with truth and the nine IoU thresholds .50 to .90",
    "ap50": "the same at IoU .50",
    "ap25": "the same at IoU .25",
    "coco_style_ap": "the same with ten thresholds, .95 besides",
    "agnostic_ap": "ap with no notice of classes",
    "agnostic_ap50": "ap50 with no notice of classes",
    "agnostic_ap25": "ap25 with no notice of classes",
    "agnostic_coco_style_ap": "coco_style_ap with no notice of classes",
}
S3DIS_DEFINITIONS = {
    "mcov": "best IoU with a prediction of the class, mean over a room's instances, rooms, classes",
    "mwcov": "the same, instances of a room and class weighted by their points",
    "mprec": "share of the predictions that match an instance of the class with IoU >= 1/2",
    "mrec": "share of the instances that are so matched",
    "original_mprec": "mprec where several predictions may match one instance, as published",
    "original_mrec": "mrec of the same; may exceed 1",
    "agnostic_mcov": "mcov with no notice of classes",
    "agnostic_mwcov": "mwcov with no notice of classes",
    "agnostic_mprec": "mprec with no notice of classes",
    "agnostic_mrec": "mrec with no notice of classes",
    "agnostic_original_mprec": "original_mprec with no notice of classes",
    "agnostic_original_mrec": "original_mrec with no notice of classes",
    "miou": "IoU of the points of a class over all rooms, mean over the classes with truth",
}
_PANOPTIC = {
    "pq": "panoptic quality: sum of the IoU of matches above 1/2 / (matches + half of the rest), "
    "mean over the classes with truth",
    "sq": "segmentation quality: mean IoU of those matches",
    "rq": "recognition quality: matches / (matches + half of the rest); per class pq = sq rq",
    **{
        f"{key}_{kind}": f"{key} of the classes that are {kind}"
        for kind in ("things", "stuff")
        for key in ("pq", "sq", "rq")
    },
    "things": "classes with instances",
    "stuff": "classes with one segment per scene",
    "miou": S3DIS_DEFINITIONS["miou"],
}


class SceneFilesTask(NodeTask):
    """Scores of files; there are no samples."""

    protocol: ClassVar[str] = "scannet"

    def window_words(self, metrics: Mapping[str, Any]) -> str:
        words = []
        if metrics.get("min_points") is not None:
            words.append(f"instances of at least {metrics['min_points']} points")
        if metrics.get("partial"):
            lost, more = metrics["scenes_missing"], metrics["scenes_unknown"]
            words.append(
                f"PARTIAL: {metrics['num_scenes']} scenes, {lost} of the truth left out for want "
                f"of a prediction, {more} of the prediction for want of truth"
            )
        return ", ".join(words)

    def warnings(self, metrics: Mapping[str, Any]) -> list[str]:
        lines = without_truth(metrics)
        if metrics.get("unranked_scenes"):
            lines.append(
                f"{metrics['unranked_scenes']} scenes have no 'score': all their predictions rank "
                "alike, which average precision suffers from (--pred-names score=NAME)"
            )
        return lines

    def table(self, metrics: Mapping[str, Any]) -> list[str]:
        return class_lines(metrics)

    def definitions(self) -> dict[str, str]:
        return dict(INSTANCE_DEFINITIONS)


class LiteralSceneFilesTask(SceneFilesTask):
    """The same by the test for void points as it was published."""

    protocol: ClassVar[str] = "scannet-literal"


class RoomFilesTask(SceneFilesTask):
    """Scores of files by the protocol of S3DIS."""

    protocol: ClassVar[str] = "s3dis"

    def definitions(self) -> dict[str, str]:
        return dict(S3DIS_DEFINITIONS)


class PanopticFilesTask(SceneFilesTask):
    """Panoptic quality of files."""

    protocol: ClassVar[str] = "panoptic"

    def definitions(self) -> dict[str, str]:
        return dict(_PANOPTIC)


def without_truth(metrics: Mapping[str, Any]) -> list[str]:
    """The warning that names the classes without truth; none where all have some."""
    names = metrics.get("classes_without_truth")
    if not names:
        return []
    return [f"no truth of {names}: undefined, and left out of the means over classes"]


def class_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The scores of single classes as a table of text; empty without classes."""
    table = class_table(metrics)
    if not table:
        return []
    keys = list(dict.fromkeys(key for row in table.values() for key in row))
    width = max(map(len, table))
    lines = [f"  {'class':<{width}}" + "".join(f"{key:>8}" for key in keys)]
    for name, row in table.items():
        cells = "".join(f"{_cell(row.get(key)):>8}" for key in keys)
        lines.append(f"  {name:<{width}}{cells}")
    return lines


def _cell(value: Any) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"
