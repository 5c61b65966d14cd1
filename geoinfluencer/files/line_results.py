"""Lines found in images: written as JSON and CSV, one image at a time, and read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.chart_lines import flat_polyline, read_chart_images
from geoinfluencer.files.coco_entries import read_json
from geoinfluencer.files.ub_pmc import is_ub_pmc, read_ub_pmc, ub_pmc_files

ImageLines = tuple[str, Sequence[dict[str, Any]]]  # name, lines {"score": s, "xy": [[x, y], ...]}


def line_entry(xy: np.ndarray, score: float) -> dict[str, Any]:
    """A line as files hold it: points (P, 2) to a hundredth of a pixel, and its score
    in the fewest digits that are its number of single precision."""
    return {
        "score": float(str(np.float32(score))),
        "xy": np.round(xy.astype(np.float64), 2).tolist(),
    }


def write_lines_json(path: Path, images: Iterable[ImageLines]) -> None:
    """Write ``{"lines": {IMAGE: [{"score": s, "xy": [[x, y], ...]}, ...]}}``, an image a line, as
    they come."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        separator = '{"lines": {\n'
        for name, lines in images:
            file.write(f"{separator}{json.dumps(name)}: {json.dumps(list(lines))}")
            separator = ",\n"
        file.write('{"lines": {}}\n' if separator.startswith("{") else "\n}}\n")


def write_lines_csv(path: Path, images: Iterable[ImageLines]) -> None:
    """Write a row per point, ``image,line,order,x,y,score``, as they come; both numbers from 0."""
    columns = ["image", "line", "order", "x", "y", "score"]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(columns) + "\n")
        for name, lines in images:
            for number, line in enumerate(lines):
                xy = np.asarray(line["xy"], np.float64).reshape(-1, 2)
                table = {"image": name, "line": number, "order": np.arange(len(xy))}
                table |= {"x": xy[:, 0], "y": xy[:, 1], "score": line["score"]}
                pd.DataFrame(table, columns=columns).to_csv(file, header=False, index=False)


def read_chart_lines(
    path: str | Path, *, category_id: int | None = None
) -> dict[str, list[np.ndarray]]:
    """The lines of each image in a file of any known make: ours, COCO-like annotations, UB-PMC; or
    in a folder of UB-PMC files, which are of one image each.

    Args:
        path: File or folder.
        category_id: Of lines in COCO-like annotations, see
            :func:`~geoinfluencer.files.chart_lines.read_chart_images`.

    Returns:
        (P, 2) float32 points of each line by the name of the image, which of UB-PMC is that of
        the file without its ending.

    Raises:
        InputError: Names file and image, line or annotation.
    """
    path = Path(path)
    if path.is_dir():
        return {file.stem: read_ub_pmc(file) for file in ub_pmc_files(path)}
    content = read_json(path, "file of lines")
    if is_ub_pmc(content):
        return {path.stem: read_ub_pmc(path)}
    if isinstance(content, dict) and isinstance(content.get("lines"), dict):
        for name, lines in content["lines"].items():
            if not isinstance(lines, list):
                raise InputError(f"{path}: image {name!r} has {lines!r:.40}; give a list of lines")
        return {
            name: [_line(line, f"{path}: image {name!r}, line {n}") for n, line in enumerate(lines)]
            for name, lines in content["lines"].items()
        }
    if not isinstance(content, dict) or "annotations" not in content:
        raise InputError(
            f'{path}: holds no lines; expected {{"lines": {{IMAGE: [...]}}}}, COCO-like '
            "annotations, or UB-PMC's task6"
        )
    named: dict[str, list[np.ndarray]] = {}
    for image in read_chart_images(path, category_id=category_id):
        if image.file_name in named:
            raise InputError(
                f"{path}: image {image.id} has the file_name {image.file_name!r} of another; names "
                "must differ"
            )
        named[image.file_name] = list(image.lines)
    return named


def _line(entry: Any, what: str) -> np.ndarray:
    if not isinstance(entry, dict) or "xy" not in entry:
        raise InputError(f'{what}: has no \'xy\'; expected {{"score": s, "xy": [[x, y], ...]}}')
    return flat_polyline(entry["xy"], what)
