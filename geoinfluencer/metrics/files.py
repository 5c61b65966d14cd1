"""Evaluation of any tool's output from files: one prediction file, one truth file, a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.files.momenta import hit_kinematics
from geoinfluencer.metrics.cityscapes import CityscapesMetrics
from geoinfluencer.metrics.cityscapes_files import score_cityscapes
from geoinfluencer.metrics.coco import CocoMetrics
from geoinfluencer.metrics.coco_results import read_coco_results
from geoinfluencer.metrics.coco_truth import read_coco_truth
from geoinfluencer.metrics.event_pairs import event_pairs
from geoinfluencer.metrics.line_files import score_line_files
from geoinfluencer.metrics.lines import LineMetrics
from geoinfluencer.metrics.node_files import NodeFile
from geoinfluencer.metrics.node_joins import join_nodes
from geoinfluencer.metrics.nodes import NodeMetrics
from geoinfluencer.metrics.scene_classes import ClassSet
from geoinfluencer.metrics.scene_scores import SCENE_PROTOCOLS, SceneScores, score_scenes
from geoinfluencer.metrics.tracks import TrackMetrics

Metrics = TrackMetrics | NodeMetrics | CocoMetrics | CityscapesMetrics | LineMetrics | SceneScores

PROTOCOLS: dict[str, type[Metrics]] = {
    "trackml": TrackMetrics,
    "nodes": NodeMetrics,
    "coco": CocoMetrics,
    "cityscapes": CityscapesMetrics,
    "lines": LineMetrics,
    **dict.fromkeys(SCENE_PROTOCOLS, SceneScores),
}


def score_files(
    pred: str | Path,
    truth: str | Path,
    protocol: str,
    *,
    particles: str | Path | None = None,
    pt_min: float = 0.9,
    eta_max: float = 4.0,
    min_hits: int = 3,
    min_track_hits: int = 3,
    max_dets: int = 100,
    boundary: bool = False,
    backend: str = "pycocotools",
    line_category_id: int | None = None,
    classes: ClassSet | None = None,
    min_points: int = 100,
    partial: bool = False,
    pred_names: Mapping[str, str] | None = None,
    truth_names: Mapping[str, str] | None = None,
) -> Metrics:
    """Score a prediction file against a truth file: one row per node, COCO JSON, or scenes.

    ``coco`` scores masks: ``pred`` is COCO results, ``truth`` the annotation file of the images.
    ``cityscapes`` does too, by the rules of that benchmark, see
    :func:`~geoinfluencer.metrics.cityscapes_files.score_cityscapes`.
    ``lines`` scores the lines of charts, see
    :func:`~geoinfluencer.metrics.line_files.score_line_files`.
    ``scannet``, ``scannet-literal``, ``s3dis`` and ``panoptic`` score point clouds, one file or a
    folder of scenes on each side, see
    :func:`~geoinfluencer.metrics.scene_scores.score_scenes`.

    Formats and columns of per-node files are those of
    :func:`~geoinfluencer.metrics.node_files.read_nodes`. Where the prediction has an ``event_id``
    column, events are scored one by one: the truth then has that column too, or is a folder with a
    ``...N-truth.csv[.gz]`` file for each event number N, or one such file, which picks its event.

    For ``trackml`` the truth needs the particles' momenta: columns ``pt`` and ``eta``, or a
    particles file (``particles``, or ``NAME-particles.csv[.gz]`` beside ``NAME-truth.csv[.gz]``),
    or the columns ``tpx, tpy, tpz``. Without any of these only ``pt_min <= 0`` is possible, and
    every particle with enough hits counts. Momenta of hits that are not noise must be finite; a
    particles file is joined on ``particle_id``. A truth with ``instance`` has noise at negative
    values, one with ``particle_id`` at 0.

    Args:
        pred: Prediction file.
        truth: Truth file, or a folder of TrackML truth files.
        protocol: One of ``PROTOCOLS``.
        particles: TrackML particles file, for one event.
        pt_min: Window of ``trackml``, GeV.
        eta_max: Window of ``trackml``.
        min_hits: Window of ``trackml``, hits per particle.
        min_track_hits: Shortest track of ``trackml``.
        max_dets: Predictions of an image and category that count, of ``coco``.
        boundary: Compute boundary AP too, of ``coco``.
        backend: Evaluator of ``coco``: ``pycocotools`` or ``faster-coco-eval``.
        line_category_id: Category of the lines in the annotations, of ``lines``.
        classes: What is scored in scenes; ``None``: the classes of the protocol's benchmark.
        min_points: Smallest instance of ``scannet``.
        partial: Score the scenes that both sides have.
        pred_names: Properties ``instance``, ``semantic``, ``score`` of predicted scenes by their
            names in the files, where these are others.
        truth_names: The same of true scenes.

    Returns:
        The metrics object, filled.

    Raises:
        InputError: Names the file, the line and the remedy.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r} is unknown; {suggest(protocol, PROTOCOLS)}")
    if protocol == "coco":
        scores = CocoMetrics(max_dets=max_dets, boundary=boundary, backend=backend)
        scores.update(read_coco_results(pred), read_coco_truth(truth), str(pred))
        return scores
    if protocol == "cityscapes":
        return score_cityscapes(pred, truth)
    if protocol == "lines":
        return score_line_files(pred, truth, category_id=line_category_id)
    if protocol in SCENE_PROTOCOLS:
        return score_scenes(
            pred,
            truth,
            protocol,
            classes=classes,
            min_points=min_points,
            partial=partial,
            pred_names=pred_names,
            truth_names=truth_names,
        )
    metrics: TrackMetrics | NodeMetrics = NodeMetrics()
    if protocol == "trackml":
        metrics = TrackMetrics(
            pt_min=pt_min, eta_max=eta_max, min_hits=min_hits, min_track_hits=min_track_hits
        )
    if particles is not None and not Path(particles).is_file():
        raise InputError(f"{particles}: no such file")
    for name, prediction, reference in event_pairs(Path(pred), Path(truth)):
        prediction = join_nodes(prediction, reference)
        if isinstance(metrics, TrackMetrics):
            _update_tracks(metrics, name, prediction, reference, particles)
        else:
            _update_nodes(metrics, prediction, reference)
    return metrics


def _update_tracks(
    metrics: TrackMetrics,
    name: str,
    prediction: NodeFile,
    truth: NodeFile,
    particles: str | Path | None,
) -> None:
    particle_id = truth.labels
    if truth.label == "instance":
        particle_id = np.where(particle_id < 0, 0, particle_id + 1)
    pt, eta = _kinematics(metrics, particle_id, truth, particles)
    metrics.update(
        prediction.labels, particle_id, pt=pt, eta=eta, weight=truth.table.get("weight"), name=name
    )


def _kinematics(
    metrics: TrackMetrics, particle_id: np.ndarray, truth: NodeFile, particles: str | Path | None
) -> tuple[np.ndarray, np.ndarray]:
    table = truth.table
    if particles is None and {"pt", "eta"} <= table.keys():
        _refuse_unknown(truth, particle_id, ("pt", "eta"))
        return table["pt"], table["eta"]
    path = Path(particles) if particles is not None else _particles_beside(truth.path)
    has_momenta = {"tpx", "tpy", "tpz"} <= table.keys()
    if path is not None and truth.label == "instance":
        if particles is not None or not has_momenta:
            raise InputError(
                f"{truth.path}: the momenta of {path} are joined on particle_id, but the labels of "
                "this truth are 'instance'; name the column particle_id (0 = noise), or give "
                "columns pt and eta"
            )
        path = None
    if path is None and has_momenta:
        _refuse_unknown(truth, particle_id, ("tpx", "tpy", "tpz"))
    if path is not None or has_momenta:
        return hit_kinematics({**table, "particle_id": particle_id}, path)
    if metrics.pt_min > 0:
        raise InputError(
            f"{truth.path}: no momenta for the window pt_min={metrics.pt_min}; give columns pt and "
            "eta, or tpx,tpy,tpz, or a particles file (--particles), or --pt-min 0 to count all"
        )
    zero = np.zeros(len(particle_id))
    return zero, zero


def _refuse_unknown(truth: NodeFile, particle_id: np.ndarray, columns: tuple[str, ...]) -> None:
    """Refuse nan and inf of a particle's hit: the particle would fall out of the window unseen."""
    for name in columns:
        bad = ~np.isfinite(truth.table[name]) & (particle_id != 0)
        truth.refuse(name, bad, "a finite number, which every hit of a particle needs")


def _particles_beside(truth: Path) -> Path | None:
    name, found, _ = truth.name.rpartition("-truth.csv")
    paths = [truth.with_name(f"{name}-particles.csv{end}") for end in ("", ".gz")] if found else []
    return next((path for path in paths if path.is_file()), None)


def _update_nodes(metrics: NodeMetrics, prediction: NodeFile, truth: NodeFile) -> None:
    instance = truth.labels
    if truth.label == "particle_id":
        instance = np.where(instance == 0, -1, instance)
    weight = truth.table.get("weight", prediction.table.get("weight"))
    if truth.label == "particle_id":
        weight = None  # the TrackML score's weight, not a mass
    metrics.update(
        prediction.labels,
        instance,
        ignore=truth.table.get("ignore"),
        weight=weight,
        semantic_predicted=prediction.table.get("semantic"),
        semantic=truth.table.get("semantic"),
        score=prediction.table.get("score"),
    )
