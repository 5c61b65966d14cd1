"""Instances for files of points: every point labelled, in the file's own order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from geoinfluencer.datasets.graph_options import room_graph
from geoinfluencer.datasets.point_files import Cloud, read_cloud
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_sample import room_sample
from geoinfluencer.datasets.scannet_files import own_segments
from geoinfluencer.errors import InputError
from geoinfluencer.files.ply import ply_comment, ply_names, write_ply
from geoinfluencer.files.point_tables import (
    POINT_FORMATS,
    PointTable,
    is_kind,
    write_points_npz,
    write_points_ply,
)
from geoinfluencer.graphs.superpoint_graph import SuperpointGraph
from geoinfluencer.plots.viewer import write_viewer
from geoinfluencer.plots.viewer_layers import instance_palette, instance_rows
from geoinfluencer.plots.viewer_pages import cloud_layers, consecutive_labels
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.scoring.inference import (
    SampleResult,
    condense_result,
    node_scores,
    run_model,
)

ADDED = ("instance", "semantic", "score")


@dataclass(frozen=True)
class PointOptions:
    """What is asked of the prediction of point files.

    Attributes:
        columns: Role to column, see :func:`~geoinfluencer.datasets.point_files.parse_columns`.
        unit: Metres per unit of the files.
        npz: Write NPZ too.
        colored: Write a PLY in the colours of the instances too.
        viewer: Write the interactive page.
    """

    columns: Mapping[str, str]
    unit: float = 1.0
    npz: bool = False
    colored: bool = False
    viewer: bool = True


@dataclass(frozen=True)
class PointModel:
    """A model with all that its predictions depend on."""

    module: nn.Module
    condensation: CondensationSection
    graph: Mapping[str, object]
    class_names: Sequence[str]
    device: torch.device
    dtype: torch.dtype | None
    check: Callable[[Any, str], None]


def point_inputs(path: Path) -> list[Path]:
    """The files of points that an INPUT is: itself, or those of a folder.

    Raises:
        InputError: A folder without any.
    """
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.is_file() and is_kind(p, *POINT_FORMATS))
    if not found:
        raise InputError(f"{path}: no file of points in it; give some of {' '.join(POINT_FORMATS)}")
    return found


def output_stem(path: Path) -> str:
    """Name of a file of points without its ending."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem


def predict_file(
    path: Path, model: PointModel, folder: Path, options: PointOptions, say: Callable[[str], None]
) -> list[Path]:
    """Label the points of one file and write them.

    Written are ``NAME-predicted.ply`` with all that the file holds and ``instance`` (-1 = none),
    ``semantic`` (where the model has classes) and ``score`` of every point, in the file's order;
    on request ``NAME-predicted.npz`` and ``NAME-instances.ply`` in colours; and ``NAME.html``.

    Raises:
        InputError: The file cannot be read, or does not fit the model.
    """
    cloud = read_cloud(path, options.columns, options.unit)
    for line in _remarks(cloud):
        say(f"{path}: {line}")
    count = len(cloud.pos)
    color = np.zeros((count, 3), np.uint8) if cloud.color is None else cloud.color
    builder = room_graph(model.graph)
    segment = np.empty(0, np.int64)
    if isinstance(builder, SuperpointGraph) and builder.own_segments:
        segment, said = own_segments(path, count)
        say(f"{path}: {said}")
    room = Room(cloud.pos, color, np.full(count, -1), np.empty(0, np.int64), segment)
    sample = room_sample(room, builder, name=output_stem(path))
    model.check([sample], f"{path}")
    (result,) = run_model(model.module, [sample], model.device, model.dtype)
    condense_result(result, model.condensation)
    added = _of_points(result, len(model.class_names))
    table, renamed = _kept(cloud.table)
    for old, new in renamed.items():
        say(f"{path}: its own {old!r} is kept as {new!r}")
    for old, new in ply_names({**table.columns, **added}).items():
        if old != new:
            say(f"{path}: {old!r} is called {new!r} in PLY, which has no such names")
    found = len(result.instances) if result.instances is not None else 0
    say(f"{path}: {found} instances, {(added['instance'] < 0).mean():.1%} of the points in none")
    stem = folder / output_stem(path)
    names = [f"class {i} {name}" for i, name in enumerate(model.class_names)]
    for name in names:
        if ply_comment(name) != name:
            say(f"{path}: {name!r} is {ply_comment(name)!r} in PLY, which holds ASCII alone")
    written = [stem.with_name(f"{stem.name}-predicted.ply")]
    write_points_ply(written[0], table, added, names)
    if options.npz:
        written.append(stem.with_name(f"{stem.name}-predicted.npz"))
        write_points_npz(written[-1], table, added)
    if options.colored:
        written.append(stem.with_name(f"{stem.name}-instances.ply"))
        write_ply(written[-1], _colored(cloud, added), comments=names)
    if options.viewer:
        written.append(stem.with_name(f"{stem.name}.html"))
        _write_page(written[-1], cloud, result, added, model.class_names)
    return written


def _of_points(result: SampleResult, num_classes: int) -> dict[str, np.ndarray]:
    """What is added to each point (P,), from the nodes that hold them."""
    assert result.instances is not None
    found = result.instances
    labels = found.instance.numpy()
    nodes = {"instance": labels.astype(np.int32)}
    if num_classes:
        semantic = np.full(len(labels), -1, np.int32)
        if result.class_logits is not None:
            semantic = result.class_logits.argmax(1).cpu().numpy().astype(np.int32)
        if found.label is not None and len(found):
            own = found.label.numpy()[labels.clip(min=0)]
            semantic = np.where(labels >= 0, own, semantic).astype(np.int32)
        nodes["semantic"] = semantic
    nodes["score"] = node_scores(found).numpy().astype(np.float32)
    node = result.sample.voxel_of_point.numpy()
    none = {"instance": -1, "semantic": -1, "score": 0}
    return {
        name: np.where(node >= 0, values[node.clip(min=0)], none[name]).astype(values.dtype)
        for name, values in nodes.items()
    }


def _remarks(cloud: Cloud) -> list[str]:
    size = np.ptp(cloud.pos, axis=0)
    shape = " x ".join(f"{side:.3g}" for side in size)
    lines = [f"{len(cloud.pos):,} points, {shape} m; columns {cloud.words()}"]
    if cloud.color is None:
        lines.append("no colour; a model trained with data.color_drop does without")
    if size.max() > 500 or size.max() < 0.5:
        lines.append(f"is it {size.max():.3g} m wide? else --unit says what one unit is in metres")
    lines += [f"left out: {why}" for why in cloud.table.left_out.values()]
    return lines


def _kept(table: PointTable) -> tuple[PointTable, dict[str, str]]:
    """The table with other names for columns that are called as what is added."""
    names = {*table.columns, *(table.arrays or {})}
    renamed = {}
    for name in ADDED:
        if name in names:
            new = f"input_{name}"
            while new in names:
                new = f"input_{new}"
            renamed[name] = new
    columns = {renamed.get(name, name): values for name, values in table.columns.items()}
    arrays = table.arrays
    if arrays is not None:
        arrays = {renamed.get(name, name): values for name, values in arrays.items()}
    return replace(table, columns=columns, arrays=arrays), renamed


def _colored(cloud: Cloud, added: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    place = {axis: cloud.table.columns[cloud.used[axis]] for axis in "xyz"}
    tint = instance_palette()[instance_rows(added["instance"])]
    return {**place, **{c: tint[:, i] for i, c in enumerate(("red", "green", "blue"))}, **added}


def _write_page(
    path: Path,
    cloud: Cloud,
    result: SampleResult,
    added: Mapping[str, np.ndarray],
    class_names: Sequence[str],
) -> None:
    assert result.instances is not None
    node = result.sample.voxel_of_point.numpy()
    representative = result.instances.influencer.numpy()
    truth = None if cloud.instance is None else consecutive_labels(cloud.instance)
    layers = cloud_layers(
        cloud.pos,
        color=cloud.color,
        truth=truth,
        predicted=added["instance"].astype(np.int64),
        semantic=added.get("semantic"),
        semantic_truth=cloud.semantic,
        class_names=class_names,
        follower=result.follower.cpu().numpy(),
        node_of_point=node.clip(min=0),
        superpoint=_spread(result, "superpoint"),
        coarse=_spread(result, "coarse"),
        representative=representative,
    )
    marks = result.sample.pos.numpy()[representative]
    write_viewer(path, cloud.pos, layers, title=cloud.table.path.name, marks=marks)


def _spread(result: SampleResult, name: str) -> np.ndarray | None:
    """A field of the nodes (N,) as one of the points (P,); ``None``: they have it not."""
    values = result.sample.get(name)
    node = result.sample.voxel_of_point.numpy()
    return None if values is None else values.numpy()[node.clip(min=0)]
