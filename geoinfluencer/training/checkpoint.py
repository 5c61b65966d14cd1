"""What a checkpoint holds, and reading one back with errors a user can act on."""

from __future__ import annotations

import math
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
import torch_geometric
from torch import nn

from geoinfluencer import __version__
from geoinfluencer.condensation.confidence import Confidence
from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.training.configuration.checks import validate
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.data import build_model

META_KEY = "geoinfluencer"
# Raised when an older program could not read the file. 1 knew of no threshold but radii; 2
# calibrated the least quality of queries, not the least agreement of their masks; 3 left scores as
# the condensation found them.
FORMAT = 4


def versions() -> dict[str, str]:
    """Versions of what decides the numbers of a run."""
    return {
        "geoinfluencer": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torch_geometric": str(torch_geometric.__version__),
        "lightning": str(lightning.__version__),
    }


@dataclass
class RunState:
    """What a checkpoint says beside weights, optimiser and loop state: plain numbers and strings.

    Attributes:
        config: the resolved configuration (:meth:`RunConfig.to_dict`).
        data: ``in_channels``, ``edge_channels``, ``num_classes``, ``protocol``,
            ``primary_metric``, ``events`` (names of all samples' sources the run has seen).
        class_map: class index -> name; empty without classes.
        calibrated: the threshold chosen at the last calibration, by its name in the configuration's
            condensation section (``radius``, ``min_iou``); empty before the first.
        calibration: one row per value tried there.
        confidence: what makes the scores of instances, fitted at the last calibration (a
            :class:`~geoinfluencer.condensation.confidence.Confidence` as a dict); empty: none was.
        metrics: metrics on ``val`` at the last validation.
        best: step, standing and threshold of the best validation so far.
        elapsed_seconds: fitting time so far.
        step: optimisation steps so far.
        versions: see :func:`versions`.

    The normalisation of the features is part of the model's ``state_dict`` (buffers).
    """

    config: dict[str, Any]
    data: dict[str, Any] = field(default_factory=dict)
    class_map: dict[int, str] = field(default_factory=dict)
    calibrated: dict[str, float] = field(default_factory=dict)
    calibration: list[dict[str, float]] = field(default_factory=list)
    confidence: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    elapsed_seconds: float = 0.0
    step: int = 0
    versions: dict[str, str] = field(default_factory=versions)

    def to_dict(self) -> dict[str, Any]:
        """Plain containers only, so that ``torch.load(weights_only=True)`` reads them."""
        return {"format": FORMAT, **asdict(self)}

    def restore(self, meta: dict[str, Any]) -> None:
        """Takes over the progress of an interrupted run; config and versions stay this run's.

        Args:
            meta: from a checkpoint, of this or an older format.
        """
        meta = current(meta)
        for name in ("calibrated", "calibration", "metrics", "best", "elapsed_seconds", "step"):
            setattr(self, name, meta[name])
        self.confidence = meta.get("confidence", {})


PIXEL_BASELINE = "pixel-embedder"  # the model of baselines, whose checkpoints have the same form


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read: its place, its :class:`RunState`, the model's weights."""

    path: Path
    state: RunState
    weights: dict[str, torch.Tensor]

    def of_graphs(self) -> Checkpoint:
        """Itself.

        Raises:
            InputError: it is a pixel baseline's.
        """
        if self.state.config["model"].get("name") == PIXEL_BASELINE:
            raise InputError(
                f"{self.path}: is a pixel baseline of geoinfluencer baseline, which scores it and "
                "goes on with --resume; give a checkpoint of geoinfluencer train"
            )
        return self

    def condensation(self, settings: CondensationSection) -> CondensationSection:
        """The settings with their threshold: the one that they fix, else the calibrated one; and
        with the scores fitted on ``calib``, if these settings find the instances that they were
        fitted on.

        Raises:
            InputError: there is none, or none of that name.
        """
        settings = self._at_threshold(settings)
        if not settings.calibrate_scores or not self.state.confidence:
            return settings
        fitted = Confidence.from_dict(self.state.confidence)
        trained = validate(CondensationSection, Layer(self.state.config["condensation"]))
        if _deciding(settings) != _deciding(trained.at(fitted.threshold)):
            return settings
        return settings.scored_by(fitted)

    def _at_threshold(self, settings: CondensationSection) -> CondensationSection:
        name, found = settings.threshold_name, self.state.calibrated
        if getattr(settings, name) is not None:
            return settings
        if name in found:
            return settings.at(found[name])
        if not found:
            raise InputError(
                f"{self.path}: saved before its {name} was calibrated; use best.ckpt, or give one "
                f"with --set condensation.{name}=0.5"
            )
        raise InputError(
            f"{self.path}: its {next(iter(found))} was calibrated, not the {name} that "
            f"condensation.source={settings.source} needs; give one with "
            f"--set condensation.{name}=0.3"
        )

    def build_model(self) -> nn.Module:
        """The model with its weights and normalisation, in evaluation mode."""
        model = build_model(self.state.config["model"], self.state.data, stored=True)
        self.fill(model)
        return model.eval()

    def fill(self, model: nn.Module) -> None:
        """Loads the weights into a model.

        Raises:
            InputError: they do not fit.
        """
        try:
            model.load_state_dict(self.weights)
        except RuntimeError as error:
            first = " ".join(str(error).split())[:160]
            raise self._outdated(first) from error

    def check_features(self, data: Mapping[str, Any]) -> None:
        """Raises InputError if samples of the dataset trained on have other features by now.

        Args:
            data: as :attr:`RunState.data`, of those samples.
        """
        for key, what in (("in_channels", "node"), ("edge_channels", "edge")):
            stored, found = self.state.data[key], data[key]
            if stored != found:
                raise self._outdated(f"{stored} {what} features, now {found}")

    def _outdated(self, how: str) -> InputError:
        return InputError(
            f"{self.path}: was written by geoinfluencer {self.state.versions['geoinfluencer']}, "
            f"whose features or layers were others ({how}); train again, or use that version"
        )


def _deciding(settings: CondensationSection) -> dict[str, Any]:
    """What decides which instances are found."""
    options = settings.query_options() if settings.of_queries else settings.options()
    return {"source": settings.source, **options}


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Reads a checkpoint without running any code that it may contain.

    Raises:
        InputError: missing, damaged, written by something else, or by a newer version.
    """
    path = Path(path)
    if path.is_dir():
        best = path / "checkpoints" / "best.ckpt"
        hint = f"; did you mean {best}?" if best.is_file() else "; name the .ckpt file"
        raise InputError(f"{path}: is a folder, not a checkpoint{hint}")
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged or foreign files
        raise InputError(
            f"{path}: not a readable checkpoint ({type(error).__name__}); "
            "is the file whole and was it written by geoinfluencer train?"
        ) from error
    meta = content.get(META_KEY) if isinstance(content, dict) else None
    if not isinstance(meta, dict) or "state_dict" not in content:
        raise InputError(f"{path}: a torch file, but not one written by geoinfluencer train")
    if meta.get("format", 0) > FORMAT:
        raise InputError(
            f"{path}: written by the newer geoinfluencer {meta['versions']['geoinfluencer']}; "
            f"this is {__version__}: upgrade it"
        )
    weights = {
        name.removeprefix("model."): tensor
        for name, tensor in content["state_dict"].items()
        if name.startswith("model.")
    }
    return Checkpoint(path, RunState(**current(meta)), weights)


def current(meta: dict[str, Any]) -> dict[str, Any]:
    """The fields of a :class:`RunState` from those in a checkpoint of this or an older format."""
    meta = dict(meta)
    written = meta.pop("format", 0)
    if written >= 3:  # 4 adds the confidence, without which scores stay as found
        return meta
    condensation = dict(meta["config"]["condensation"])
    if written < 2:
        radius, table = meta.pop("radius"), meta.pop("radius_table")
        meta |= {"calibrated": {} if radius is None else {"radius": radius}, "calibration": table}
        if radius is not None and math.isnan(radius):  # of queries, which had a fixed threshold
            sigmoid = condensation.get("source") == "sigmoid"
            meta["calibrated"] = {"min_quality": 0.5 if sigmoid else 0.0}
    condensation.pop("min_qualities", None)
    fixed = condensation.pop("min_quality", None)
    if "min_quality" in meta["calibrated"]:
        fixed = meta["calibrated"]["min_quality"] if fixed is None else fixed
        meta["calibrated"] = {"min_iou": 0.0}
    if fixed is not None:
        condensation |= {"min_quality": fixed, "min_iou": 0.0}
    meta["config"] = {**meta["config"], "condensation": condensation}
    return meta


def publish(source: Path, target: Path) -> None:
    """Makes ``target`` the same checkpoint as ``source``, at once or not at all."""
    with atomic_path(target) as temporary:
        try:
            os.link(source, temporary)  # no second copy on disk
        except OSError:
            shutil.copyfile(source, temporary)
