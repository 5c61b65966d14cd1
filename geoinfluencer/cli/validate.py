"""``geoinfluencer validate``."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

NAME = "validate"
HELP = "check an annotation file and list what is wrong with it, by id"
DESCRIPTION = """\
Reads a COCO-type annotation file (masks, or lines of charts, in bbox or segmentation) and lists
every fault: ids that are missing or there twice, images and categories that are not there, polygons
and run lengths that are no masks, masks without pixels, areas and boxes that cannot be; and with
--images files that are missing or of another size, and lines beyond an image whose size is not
stated, or wrongly.

Exit code 0: no errors (warnings and infos are no errors); 2: errors, or no such file.

example: geoinfluencer validate train.json --images train
"""

_SHOWN = 10  # of a kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("file", metavar="FILE", help="the annotation file, JSON")
    parser.add_argument("--images", metavar="DIR", help="folder of the images: check these too")
    parser.add_argument(
        "--kind",
        choices=("masks", "lines"),
        help="what annotations hold (default: lines where a bbox has more than four numbers, a "
        "category is called line, or a segmentation without area has a part of two points)",
    )
    parser.add_argument(
        "--all", action="store_true", help=f"every finding, not the first {_SHOWN} of a kind"
    )
    parser.add_argument("--json", action="store_true", help="all findings as JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Checks; prints the findings and their number."""
    from geoinfluencer.cli.main import BAD_INPUT
    from geoinfluencer.datasets.annotation_check import check_annotations, kind_of
    from geoinfluencer.datasets.annotation_images import check_image_files
    from geoinfluencer.files.coco_entries import read_json

    content = read_json(Path(options.file), "annotation file")
    kind = options.kind or kind_of(content)
    findings = list(check_annotations(content, kind=kind))
    if options.images is not None:
        findings += check_image_files(content, Path(options.images), kind=kind)
    levels = Counter(each.level for each in findings)
    if options.json:
        found = {
            "file": options.file,
            "kind": kind,
            "errors": levels["error"],
            "warnings": levels["warning"],
            "findings": [vars(each) for each in findings],
        }
        print(json.dumps(found, indent=1))
        return BAD_INPUT if levels["error"] else 0
    shown: Counter[str] = Counter()
    for each in findings:
        shown[each.kind] += 1
        if options.all or shown[each.kind] <= _SHOWN:
            print(f"{each.level}: {each.where}: {each.text}")
    for name, count in shown.items():
        if count > _SHOWN and not options.all:
            print(f"... and {count - _SHOWN} more of the kind {name} (--all shows them)")
    sizes = {
        key: len(content[key])
        for key in ("images", "annotations", "categories")
        if isinstance(content, dict) and isinstance(content.get(key), list)
    }
    words = ", ".join(f"{count} {key}" for key, count in sizes.items())
    print(
        f"{options.file} ({kind}): {words or 'nothing'}; {levels['error']} errors, "
        f"{levels['warning']} warnings"
    )
    return BAD_INPUT if levels["error"] else 0
