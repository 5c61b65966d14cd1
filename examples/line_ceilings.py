"""What whole nodes allow at best on charts: the best IoU of thin lines.

python examples/line_ceilings.py                                       # generated charts, calib
python examples/line_ceilings.py --dataset lines --data-root DIR --splits val --max-images 20

The nodes: what segmenters.py beside this program cuts images into, and pixels of ink.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from segmenters import Cut, arguments, opened, segmenters

from geoinfluencer.datasets.line_set import LineSet
from geoinfluencer.datasets.pixel_codes import FIRST, IGNORED
from geoinfluencer.errors import InputError
from geoinfluencer.graphs import PixelGraph, superpoint_ceiling
from geoinfluencer.graphs.colour import as_rgb


class Row(NamedTuple):
    """Nodes of one kind and their means over the charts."""

    name: str
    asked: int  # segments; 0: not by number
    nodes: float  # of an image
    iou: float  # of a line, the best that whole nodes allow


def pixel_nodes(rgb: np.ndarray, **options: Any) -> np.ndarray:
    """(H, W) number of the pixel of ink, and one for all that are none."""
    node = PixelGraph(**options)(rgb).segment_map.numpy().astype(np.int64)
    return np.where(node < 0, node.max() + 1, node).reshape(rgb.shape[:2])


def main(samples: LineSet, counts: Sequence[int]) -> list[Row]:
    """The table of the charts of a split; pixels that two lines share do not count."""
    ways: dict[tuple[str, int], Cut] = {
        way: cut for way, cut in segmenters(counts).items() if "felz" not in way[0]
    }
    ways["pixels of ink", 0] = pixel_nodes
    ways["pixels of ink and their fringes (ridge 0)", 0] = partial(pixel_nodes, ridge=0.0)
    nodes: dict[tuple[str, int], list[int]] = {way: [] for way in ways}
    ious: dict[tuple[str, int], list[np.ndarray]] = {way: [] for way in ways}
    for i in range(len(samples)):
        image, truth = samples.image(i), samples.truth(i)
        counted, label = truth.code != IGNORED, np.maximum(truth.code - FIRST, -1)
        for way, cut in ways.items():
            segment = cut(as_rgb(image))
            nodes[way].append(len(np.unique(segment)))
            ious[way].append(superpoint_ceiling(segment[counted], label[counted], 1))
    return [
        Row(*way, float(np.mean(nodes[way])), float(np.concatenate(ious[way]).mean()))
        for way in ways
    ]


def chosen(options: argparse.Namespace) -> LineSet:
    """The split that a command line names; InputError: it has no lines, or is not one split."""
    if len(options.splits) > 1:
        raise InputError(
            f"--splits {' '.join(options.splits)}: charts are measured one split at a time; give "
            f"--splits {options.splits[0]} alone"
        )
    found = opened(options, options.splits[0])
    if not isinstance(found, LineSet):
        raise InputError(
            f"--dataset {options.dataset}: has no lines; give one of charts (synthetic-charts, "
            "lines), other images: python examples/segmenters.py"
        )
    return found


if __name__ == "__main__":
    given = arguments(__doc__, "synthetic-charts").parse_args()
    print("| nodes | asked | nodes an image | mean best IoU of a line |\n|---|---|---|---|")
    for row in main(chosen(given), given.counts):
        print(f"| {row.name} | {row.asked or ''} | {row.nodes:.0f} | {row.iou:.3f} |")
