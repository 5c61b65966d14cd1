"""What was predicted for images, and the ids that they have in the files of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch_geometric.data import Data

from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.coco_entries import write_results
from geoinfluencer.files.spool import JsonSpool
from geoinfluencer.training.scoring.image_inputs import ImageInput
from geoinfluencer.training.scoring.image_pictures import Picture
from geoinfluencer.training.tasks.nodes import sample_numbers


@dataclass(frozen=True)
class ImageRecord:
    """What was predicted for an image: its nodes here, its masks put aside.

    Attributes:
        nodes: As of the ``nodes`` protocol.
        image_id: In the annotation file; None where there is none.
        labelled: Whether instances and truth have classes.
        spool: Holds the masks: ``found``, and where the truth is known ``perfect`` and, of a model
            that assigns pixels, ``pixel_perfect``; None: no masks.
        place: Where in it.
        assigned: Whether the model assigned pixels to segments.
        picture: Reads the pixels of the image; None: they are not to be had.
        size: Width and height.
        source: The file that ``predict`` read.
    """

    name: str
    nodes: pd.DataFrame
    image_id: int | None
    labelled: bool
    spool: JsonSpool | None
    place: int
    assigned: bool = False
    picture: Picture | None = None
    size: tuple[int, int] = (0, 0)
    source: ImageInput | None = None

    @property
    def has_masks(self) -> bool:
        """False of samples without the way back to pixels, such as those of a training split."""
        return self.spool is not None

    def masks(self, kind: str, image_id: int) -> list[dict[str, Any]]:
        """COCO results ``found``, ``perfect`` or ``pixel_perfect``."""
        kept = {kind: []} if self.spool is None else self.spool.read(self.place)
        return [{"image_id": image_id, **entry} for entry in kept[kind]]


def file_and_id(
    sample: Data, inputs: Sequence[ImageInput], ids: Mapping[Path, int]
) -> tuple[ImageInput | None, int | None]:
    """The file of ``inputs`` that a sample was made of, and its id: of its file in ``ids``, else
    its own ``image_id``; None where there is none."""
    source = inputs[int(sample.image_number)] if inputs else None
    number = sample.get("image_id")
    if source is not None:
        number = ids.get(source.file, number)
    return source, None if number is None else int(number)


def all_masks(records: Sequence[ImageRecord], kind: str) -> Iterator[dict[str, Any]]:
    """COCO results of all images, read back one image at a time; see :meth:`ImageRecord.masks`."""
    for each, number in zip(records, image_ids(records), strict=True):
        yield from each.masks(kind, number)


def write_masks(records: Sequence[ImageRecord], kind: str, folder: Path) -> list[Path]:
    """Write ``coco_results.json`` of the masks ``kind``, one image at a time, and of image files
    ``images.json``, the ids that they have there; returns what was written."""
    written = []
    if records and all(each.source for each in records):
        written.append(folder / "images.json")
        write_image_list(written[-1], records)
    written.append(folder / "coco_results.json")
    write_results(written[-1], all_masks(records, kind))
    return written


def image_ids(records: Sequence[ImageRecord]) -> list[int]:
    """The id of each image in ``coco_results.json``: that of its annotations; without any, the
    number in its name (COCO's ``000000000139.jpg`` is 139), or a count, see
    :func:`~geoinfluencer.training.tasks.nodes.sample_numbers`."""
    known = {each.image_id for each in records}
    if None in known or len(known) < len(records):  # several folders may be numbered alike
        return sample_numbers([each.name for each in records])
    return [int(each.image_id) for each in records if each.image_id is not None]


def write_image_list(path: Path, records: Sequence[ImageRecord]) -> None:
    """Write ``id``, ``file_name`` (below its INPUT, or, where several have the same, the path),
    ``width`` and ``height`` of images that were read from files."""
    sources = [each.source for each in records if each.source is not None]
    names = [each.name for each in sources]
    if len(set(names)) < len(names):
        names = [each.file.as_posix() for each in sources]
    entries = [
        {"id": number, "file_name": name, "width": each.size[0], "height": each.size[1]}
        for each, name, number in zip(records, names, image_ids(records), strict=True)
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(entries, indent=1) + "\n", "utf-8")
