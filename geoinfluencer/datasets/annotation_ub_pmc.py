"""What is wrong with UB-PMC's annotation files, which are of one chart each, and its image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from geoinfluencer.datasets.annotation_findings import Finding, fault
from geoinfluencer.datasets.annotation_images import decoded_size
from geoinfluencer.datasets.annotation_objects import points_beyond
from geoinfluencer.datasets.image_folders import images_by_stem
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import flat_polyline
from geoinfluencer.files.coco_entries import read_json
from geoinfluencer.files.ub_pmc import ub_pmc_elements


def check_ub_pmc(files: Sequence[Path], folder: Path | None = None) -> Iterator[Finding]:
    """The faults of each file and line, in their order.

    Args:
        files: The annotations.
        folder: Of the images, which are called as the files; None: they are not looked at.

    Raises:
        InputError: There is no such folder.
    """
    name_of = None if folder is None else images_by_stem(folder)
    for file in files:
        where, size = str(file), None
        if folder is not None and name_of is not None:
            if file.stem in name_of:
                found = decoded_size(folder / name_of[file.stem], where)
                if isinstance(found, Finding):
                    yield found
                else:
                    size = found
            else:
                text = f"has no image of that name in {folder}"
                yield Finding("error", "image-missing", where, text)
        try:
            elements = ub_pmc_elements(read_json(file, "annotation file"), where)
        except InputError as error:
            yield fault("structure", where, error)
            continue
        for number, values in enumerate(elements):
            line = f"{file}: line {number}"
            try:
                points = flat_polyline(values, line)
            except InputError as error:
                yield fault("line", line, error)
                continue
            if len(points) < 2:
                yield Finding("warning", "one-point", line, "its line has a single point")
            if size is not None:
                yield from points_beyond(points.reshape(-1).tolist(), line, size, "its line")
