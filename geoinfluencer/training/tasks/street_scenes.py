"""Files of masks that are scored by the protocol of Cityscapes: words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from geoinfluencer.files.cityscapes import CITYSCAPES_THINGS
from geoinfluencer.training.tasks.nodes import NodeTask
from geoinfluencer.training.tasks.scenes import class_lines, without_truth

_DEFINITIONS = {
    "ap": "Cityscapes AP: mean over classes with truth and the ten IoU thresholds .50 to .95",
    "ap50": "the same at IoU .50",
}


class CityscapesFilesTask(NodeTask):
    """Scores of files; there are no samples."""

    protocol: ClassVar[str] = "cityscapes"

    def window_words(self, metrics: Mapping[str, Any]) -> str:
        least = metrics.get("min_region")
        return "" if least is None else f"instances of at least {least} pixels"

    def warnings(self, metrics: Mapping[str, Any]) -> list[str]:
        return [*without_truth(metrics), *_unscored(metrics)]

    def table(self, metrics: Mapping[str, Any]) -> list[str]:
        return class_lines(metrics)

    def definitions(self) -> dict[str, str]:
        return dict(_DEFINITIONS)


def _unscored(metrics: Mapping[str, Any]) -> list[str]:
    """The warning that names the label ids of predictions which count nowhere."""
    other = metrics.get("unscored_labels")
    if not other:
        return []
    known = ", ".join(f"{label} {name}" for label, name in CITYSCAPES_THINGS.items())
    return [
        f"predictions with the label ids {other} are not scored: instances have the label ids "
        f"{known} (not train ids)"
    ]
