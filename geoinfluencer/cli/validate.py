"""``geoinfluencer validate``."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoinfluencer.datasets.annotation_findings import Finding, Kind

NAME = "validate"
HELP = "check an annotation file and list what is wrong with it, by id"
DESCRIPTION = """\
Reads a COCO-type annotation file (masks, or lines of charts, in bbox or segmentation), or UB-PMC's
annotations of charts (a file, or a folder of them), and lists every fault: ids that are missing or
there twice, images and categories that are not there, polygons and run lengths that are no masks,
masks without pixels, areas and boxes that cannot be; and with --images, which decodes them all,
files that are missing, cut short or of another size than stated, and lines beyond an image whose
size is not stated, or wrongly.

Exit code 0: no errors (warnings and infos are no errors); 2: errors, or no such file.

example: geoinfluencer validate train.json --images train
"""

_SHOWN = 10  # of a kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "file", metavar="FILE", help="the annotation file, JSON; or a folder of UB-PMC's"
    )
    parser.add_argument("--images", metavar="DIR", help="folder of the images: check these too")
    parser.add_argument(
        "--kind",
        choices=("masks", "lines"),
        help="what annotations hold (default: what most of them speak for: a bbox of more than "
        "four numbers, a category called line, and two points without area for lines)",
    )
    parser.add_argument(
        "--line-category-id", type=int, metavar="N", help="category of lines (default 2)"
    )
    parser.add_argument(
        "--all", action="store_true", help=f"every finding, not the first {_SHOWN} of a kind"
    )
    parser.add_argument("--json", action="store_true", help="all findings as JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Checks; prints the findings and their number."""
    from geoinfluencer.cli.main import BAD_INPUT

    kind, reason, words, findings = _checked(options)
    levels = Counter(each.level for each in findings)
    if options.json:
        found = {
            "file": options.file,
            "kind": kind,
            "reason": reason,
            "errors": levels["error"],
            "warnings": levels["warning"],
            "findings": [vars(each) for each in findings],
        }
        print(json.dumps(found, indent=1))
        return BAD_INPUT if levels["error"] else 0
    if reason:
        other = "masks" if kind == "lines" else "lines"
        print(f"taken for {kind} because {reason}; --kind {other} otherwise")
    shown: Counter[str] = Counter()
    for each in findings:
        shown[each.kind] += 1
        if options.all or shown[each.kind] <= _SHOWN:
            print(f"{each.level}: {each.where}: {each.text}")
    for name, count in shown.items():
        if count > _SHOWN and not options.all:
            print(f"... and {count - _SHOWN} more of the kind {name} (--all shows them)")
    print(
        f"{options.file} ({kind}): {words}; {levels['error']} errors, {levels['warning']} warnings"
    )
    return BAD_INPUT if levels["error"] else 0


def _checked(options: argparse.Namespace) -> tuple[Kind, str, str, list[Finding]]:
    """What the file holds, by what that was told (empty: nothing to say), how much of it, and its
    faults."""
    from geoinfluencer.datasets.annotation_check import check_annotations
    from geoinfluencer.datasets.annotation_images import check_image_files
    from geoinfluencer.datasets.annotation_kind import kind_and_reason
    from geoinfluencer.datasets.annotation_ub_pmc import check_ub_pmc
    from geoinfluencer.errors import InputError
    from geoinfluencer.files.coco_entries import read_json
    from geoinfluencer.files.ub_pmc import is_ub_pmc, ub_pmc_files

    path = Path(options.file)
    images = None if options.images is None else Path(options.images)
    files = ub_pmc_files(path) if path.is_dir() else [path]
    content = None if path.is_dir() else read_json(path, "annotation file")
    if path.is_dir() or is_ub_pmc(content):
        if options.kind == "masks":
            raise InputError(f"{path}: UB-PMC's annotations are lines; leave out --kind masks")
        if options.line_category_id is not None:
            raise InputError(
                f"{path}: UB-PMC's annotations have no categories; leave out --line-category-id"
            )
        return "lines", "", f"{len(files)} files of UB-PMC", list(check_ub_pmc(files, images))
    kind, reason = kind_and_reason(content) if options.kind is None else (options.kind, "")
    category = 2 if options.line_category_id is None else options.line_category_id
    if kind == "masks" and options.line_category_id is not None:
        raise InputError(
            "--line-category-id: is for lines, and the file is taken for masks; add --kind lines"
        )
    findings = list(check_annotations(content, kind=kind, line_category_id=category))
    if images is not None:
        findings += check_image_files(content, images, kind=kind, line_category_id=category)
    sizes = {
        key: len(content[key])
        for key in ("images", "annotations", "categories")
        if isinstance(content, dict) and isinstance(content.get(key), list)
    }
    words = ", ".join(f"{count} {key}" for key, count in sizes.items()) or "nothing"
    return kind, reason, words, findings
