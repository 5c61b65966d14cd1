"""Pages of files of points, such as those that a prediction wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geoinfluencer.datasets.point_files import parse_columns, read_cloud, whole_numbers
from geoinfluencer.plots.viewer import write_viewer
from geoinfluencer.plots.viewer_pages import cloud_layers, consecutive_labels
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.point_prediction import output_stem

_CLASS = re.compile(r"class (\d+) (.+)")


def point_results(path: Path) -> list[Path]:
    """Files of points that ``plot`` is asked for: a file, or those that ``predict`` wrote in a
    folder; none of the folder of a run."""
    if path.is_file():
        return [path]
    run = RunFolder(path)
    if not path.is_dir() or run.metrics.is_file() or run.train_log.is_file():
        return []
    return sorted(path.glob("*-predicted.ply")) or sorted(path.glob("*-predicted.npz"))


def plot_points(path: Path, columns: str | None = None) -> Path:
    """Write the page of a file of points beside it.

    Args:
        path: PLY, NPZ, NPY, CSV or TXT.
        columns: See :func:`~geoinfluencer.datasets.point_files.parse_columns`; without, the
            prediction is in ``instance`` and ``semantic``, the truth in ``input_instance`` and
            ``input_semantic``.

    Returns:
        The page.

    Raises:
        InputError: The file cannot be read; names the place and the remedy.
    """
    cloud = read_cloud(path, parse_columns(columns))
    table = cloud.table

    def column(name: str) -> np.ndarray | None:
        return whole_numbers(table, name) if name in table.columns else None

    def instances(name: str, given: np.ndarray | None = None) -> np.ndarray | None:
        found = column(name) if given is None else given
        return None if found is None else consecutive_labels(found)

    layers = cloud_layers(
        cloud.pos,
        color=cloud.color,
        truth=instances("input_instance"),
        predicted=instances("instance", cloud.instance),
        semantic=column("semantic") if cloud.semantic is None else cloud.semantic,
        semantic_truth=column("input_semantic"),
        class_names=_class_names(table.comments),
        superpoint=column("superpoint"),
    )
    page = path.with_name(f"{output_stem(path)}.html")
    write_viewer(page, cloud.pos, layers, title=path.name)
    return page


def _class_names(comments: Sequence[str]) -> list[str]:
    matches = [_CLASS.fullmatch(comment.strip()) for comment in comments]
    found: dict[str, str] = {match[1]: match[2] for match in matches if match}
    numbers = sorted(int(number) for number in found)
    if numbers != list(range(len(numbers))):
        return []
    return [found[str(number)] for number in numbers]
