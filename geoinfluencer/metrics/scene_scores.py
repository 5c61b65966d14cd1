"""Scores of whole scenes by one of the protocols of point clouds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.metrics.average_precision import MIN_POINTS
from geoinfluencer.metrics.panoptic_scenes import PanopticMetrics
from geoinfluencer.metrics.s3dis import S3DISMetrics
from geoinfluencer.metrics.scannet import ScanNetMetrics
from geoinfluencer.metrics.scene_classes import CLASS_SETS, ClassSet
from geoinfluencer.metrics.scene_files import read_scenes
from geoinfluencer.metrics.scene_pairs import pair_scenes
from geoinfluencer.metrics.scene_points import FoundMasks, FoundPoints, TruthPoints
from geoinfluencer.metrics.semantic_iou import SemanticMetrics

# Protocol and the classes that it scores where none are named.
SCENE_PROTOCOLS: dict[str, str] = {
    "scannet": "scannet",
    "scannet-literal": "scannet",
    "s3dis": "s3dis",
    "panoptic": "s3dis",
}


class SceneScores:
    """Scores of scenes, added one by one; what is kept of a scene are scores and counts.

    ``scannet`` is :class:`~geoinfluencer.metrics.scannet.ScanNetMetrics`; ``scannet-literal`` the
    same with the test for void points of the script as it was published, which marks hardly any.
    ``s3dis`` is :class:`~geoinfluencer.metrics.s3dis.S3DISMetrics`, ``panoptic``
    :class:`~geoinfluencer.metrics.panoptic_scenes.PanopticMetrics`, both with ``miou``.

    Args:
        protocol: One of these.
        classes: What is scored.
        min_points: Of ``scannet``.
        with_classes: Whether truth and predictions have classes; without, ``scannet`` and ``s3dis``
            take all instances as of one.
    """

    def __init__(
        self,
        protocol: str,
        classes: ClassSet,
        *,
        min_points: int = MIN_POINTS,
        with_classes: bool = True,
    ) -> None:
        self.protocol = protocol
        self.class_agnostic = not with_classes
        self._set = classes
        self._literal = protocol == "scannet-literal"
        known = classes if with_classes else None
        self._of_instances: ScanNetMetrics | S3DISMetrics | None = None
        if protocol == "s3dis":
            self._of_instances = S3DISMetrics(classes=known)
        elif protocol != "panoptic":
            self._of_instances = ScanNetMetrics(classes=known, min_points=min_points)
        self._panoptic = PanopticMetrics(classes=classes) if protocol == "panoptic" else None
        self._semantic = None
        if with_classes and protocol in ("s3dis", "panoptic"):
            self._semantic = SemanticMetrics(classes=classes)
        self.window: dict[str, Any] = {}
        if isinstance(self._of_instances, ScanNetMetrics):
            self.window["min_points"] = min_points
        self._scenes = self._without_scores = 0

    def update(self, truth: TruthPoints, found: FoundPoints | FoundMasks) -> None:
        """Adds a scene."""
        self._scenes += 1
        self._without_scores += not found.has_scores
        if self._of_instances is not None:
            scored = truth.scored(self._set, literal_void=self._literal)
            self._of_instances.update(found.overlap(scored, self._set))
        if self._semantic is not None:
            semantic = truth.classes_of_points(self._set)
            instance, predicted = found.labels(self._set)
            self._semantic.update(semantic, predicted)
            if self._panoptic is not None:
                self._panoptic.update(truth.instance, semantic, instance, predicted)

    def compute(self) -> dict[str, Any]:
        """The numbers of the protocol, and ``num_scenes``."""
        metrics: dict[str, Any] = {}
        for part in (self._of_instances, self._semantic, self._panoptic):
            if part is not None:
                metrics |= part.compute()
        ranked = isinstance(self._of_instances, ScanNetMetrics)
        metrics |= {"unranked_scenes": self._without_scores} if ranked else {}
        return {**metrics, "num_scenes": self._scenes}


def score_scenes(
    pred: str | Path,
    truth: str | Path,
    protocol: str,
    *,
    classes: ClassSet | None = None,
    min_points: int = MIN_POINTS,
    partial: bool = False,
    pred_names: Mapping[str, str] | None = None,
    truth_names: Mapping[str, str] | None = None,
) -> SceneScores:
    """Score files of scenes, see :func:`~geoinfluencer.metrics.scene_pairs.pair_scenes`.

    Args:
        pred: Prediction: a file or a folder.
        truth: Truth: a file or a folder.
        protocol: One of ``SCENE_PROTOCOLS``.
        classes: What is scored; ``None``: the benchmark's classes.
        min_points: Of ``scannet``.
        partial: Score what both have; ``window`` then says so.
        pred_names: Names of the predictions' properties, where they are others.
        truth_names: Names of the truth's properties.

    Raises:
        InputError: Names the file and the remedy.
    """
    classes = CLASS_SETS[SCENE_PROTOCOLS[protocol]] if classes is None else classes
    pairs = pair_scenes(Path(pred), Path(truth), partial=partial)
    scores: SceneScores | None = None
    for name, wanted, found in read_scenes(pairs, classes, pred_names or {}, truth_names or {}):
        both = wanted.semantic is not None and found.has_classes
        if protocol == "panoptic" and not both:
            side = truth if wanted.semantic is None else pred
            raise InputError(
                f"{side}: scene {name} has no 'semantic'; panoptic quality needs the class of "
                "every point on both sides (--pred-names, --truth-names semantic=NAME)"
            )
        if scores is None:
            scores = SceneScores(protocol, classes, min_points=min_points, with_classes=both)
        elif scores.class_agnostic == both:
            raise InputError(
                f"{pred}: scene {name} has {'' if both else 'no '}classes, unlike those before; "
                "give them for all scenes or for none"
            )
        scores.update(wanted, found)
    assert scores is not None
    scores.window["partial"] = pairs.is_partial
    if pairs.is_partial:
        scores.window |= {
            "scenes_missing": len(pairs.missing),
            "scenes_unknown": len(pairs.unknown),
        }
    return scores
