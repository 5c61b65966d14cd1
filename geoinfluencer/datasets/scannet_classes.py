"""Classes of the labels of ScanNet's annotators."""

from __future__ import annotations

import csv
from pathlib import Path

from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import NYU40_IDS

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
