"""Lines of charts in UB-PMC's annotation files, JSON of one image each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import flat_polyline
from geoinfluencer.files.coco_entries import read_json


def ub_pmc_files(folder: Path) -> list[Path]:
    """The annotation files of a folder, by name.

    Raises:
        InputError: There is none.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InputError(
            f"{folder}: holds no JSON files; name the folder of UB-PMC's annotations, one per image"
        )
    return files


def read_ub_pmc(path: str | Path) -> list[np.ndarray]:
    """(P, 2) points of each line of a UB-PMC file, which is of one image:
    ``task6.output["visual elements"].lines``, lists of ``{"x": x, "y": y}``.

    Raises:
        InputError: There are none, or one is wrong; names it by its place.
    """
    elements = ub_pmc_elements(read_json(Path(path), "annotation file"), str(path))
    return [flat_polyline(line, f"{path}: line {n}") for n, line in enumerate(elements)]


def is_ub_pmc(content: Any) -> bool:
    """Whether the contents of a JSON file are UB-PMC's, with lines."""
    return _visual_elements(content) is not None


def ub_pmc_elements(content: Any, what: str) -> list[Any]:
    """The lines in the contents of a UB-PMC file, as they are; ``what`` names it in the message.

    Raises:
        InputError: There are none.
    """
    elements = _visual_elements(content)
    if elements is None:
        raise InputError(
            f"{what}: has no task6.output['visual elements'].lines; is it UB-PMC's JSON of a line "
            "chart?"
        )
    return elements


def _visual_elements(content: Any) -> list[Any] | None:
    if not isinstance(content, dict):
        return None
    task = content.get("task6")
    output = task.get("output") if isinstance(task, dict) else content.get("task6_output")
    elements = output.get("visual elements") if isinstance(output, dict) else None
    found = elements.get("lines") if isinstance(elements, dict) else None
    return found if isinstance(found, list) else None
