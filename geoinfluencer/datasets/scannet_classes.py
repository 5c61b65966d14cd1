"""The classes of the ScanNet benchmark
(`Dai et al., CVPR 2017 <https://doi.org/10.1109/CVPR.2017.261>`_)."""

from __future__ import annotations

import csv
from pathlib import Path

from geoinfluencer.errors import InputError

SCANNET_CLASSES = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf",
    "picture", "counter", "desk", "curtain", "refrigerator", "shower curtain", "toilet", "sink",
    "bathtub", "otherfurniture",
)  # fmt: skip
SCANNET_STUFF = SCANNET_CLASSES[:2]  # the other 18 are the instances of the benchmark
NYU40_IDS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 24, 28, 33, 34, 36, 39)
LABELS_FILE = "scannetv2-labels.combined.tsv"


def read_label_classes(path: Path) -> dict[str, int]:
    """Class of each label of the annotators, from ``scannetv2-labels.combined.tsv``; labels of
    other classes of NYU40 are left out.

    Raises:
        InputError: The file cannot be read or has no columns raw_category and nyu40id.
    """
    number = {str(nyu): i for i, nyu in enumerate(NYU40_IDS)}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = {"raw_category", "nyu40id"} - set(rows.fieldnames or ())
            if missing:
                raise InputError(
                    f"{path}: line 1: no column {min(missing)!r}; it is the {LABELS_FILE} that "
                    "comes with ScanNet"
                )
            return {r["raw_category"]: number[r["nyu40id"]] for r in rows if r["nyu40id"] in number}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); is the file whole?") from error
