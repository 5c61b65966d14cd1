"""Metrics: one protocol per file, pure functions on label arrays, accumulators over samples."""

from geoinfluencer.metrics.cityscapes import CityscapesMetrics
from geoinfluencer.metrics.coco import CocoMetrics
from geoinfluencer.metrics.files import PROTOCOLS, score_files
from geoinfluencer.metrics.intervals import BinnedEfficiency, clopper_pearson, wilson
from geoinfluencer.metrics.lines import LineMetrics
from geoinfluencer.metrics.nodes import NodeMetrics
from geoinfluencer.metrics.panoptic_scenes import PanopticMetrics
from geoinfluencer.metrics.s3dis import S3DISMetrics
from geoinfluencer.metrics.scannet import ScanNetMetrics
from geoinfluencer.metrics.scene_classes import CLASS_SETS, ClassSet, parse_classes
from geoinfluencer.metrics.scene_scores import SceneScores
from geoinfluencer.metrics.semantic_iou import SemanticMetrics
from geoinfluencer.metrics.tracks import TrackMetrics, trackml_score

__all__ = [
    "CLASS_SETS",
    "PROTOCOLS",
    "BinnedEfficiency",
    "CityscapesMetrics",
    "ClassSet",
    "CocoMetrics",
    "LineMetrics",
    "NodeMetrics",
    "PanopticMetrics",
    "S3DISMetrics",
    "ScanNetMetrics",
    "SceneScores",
    "SemanticMetrics",
    "TrackMetrics",
    "clopper_pearson",
    "parse_classes",
    "score_files",
    "trackml_score",
    "wilson",
]
