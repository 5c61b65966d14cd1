"""How fast images are cut into segments, and what whole segments allow at best.

python examples/segmenters.py                                    # generated shapes, calib
python examples/segmenters.py --dataset coco --data-root DIR --splits train calib val
python examples/segmenters.py --dataset nuclei --data-root DIR --splits train calib

All get the same RGB floats, in one process and on one thread, image by image in turn, in another
order each time. Thin lines of charts: line_ceilings.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from geoinfluencer.datasets import resolve_dataset
from geoinfluencer.datasets.image_set import ImageSet
from geoinfluencer.datasets.pixel_codes import FIRST, IGNORED
from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_masks import encoded_labels
from geoinfluencer.graphs import ImageGraph
from geoinfluencer.graphs.colour import as_rgb, cielab
from geoinfluencer.graphs.majority import segment_majority
from geoinfluencer.graphs.regions import describe
from geoinfluencer.graphs.segment_accuracy import achievable_accuracy
from geoinfluencer.metrics.coco import CocoMetrics
from geoinfluencer.metrics.coco_truth import CocoTruth, coco_truth_of, read_coco_truth

VGA = 640 * 480
Cut = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) RGB in [0, 1] -> (H, W) 0..K-1


@dataclass(frozen=True)
class Picture:
    """An image and what its pixels belong to."""

    rgb: np.ndarray  # (H, W, 3) float32
    code: np.ndarray  # (H, W): 0 background, 1 ignored, 2 + k object k
    category: np.ndarray  # (K,) COCO category of each object
    image_id: int


def ours(rgb: np.ndarray, **options: Any) -> np.ndarray:
    """Segments of this package, its conversion to CIELAB included."""
    return ImageGraph(**options).segments(cielab(rgb))


def grid(rgb: np.ndarray, segments: int) -> np.ndarray:
    """Square cells, about so many."""
    stride = max(1, round((rgb.shape[0] * rgb.shape[1] / segments) ** 0.5))
    return ImageGraph("grid", stride=stride).segments(rgb)


def scikit_image(rgb: np.ndarray, segments: int) -> np.ndarray:
    """scikit-image's superpixels as they come, numbered without gaps."""
    from skimage.segmentation import slic

    return np.asarray(slic(rgb, n_segments=segments, start_label=0), np.int64)


def opencv(rgb: np.ndarray, segments: int) -> np.ndarray:
    """OpenCV's (contrib) superpixels, ten iterations and small ones joined."""
    import cv2

    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)
    size = round((rgb.shape[0] * rgb.shape[1] / segments) ** 0.5)
    made = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, size, 10.0)
    made.iterate(10)
    made.enforceLabelConnectivity(25)
    return made.getLabels().astype(np.int64)


def segmenters(counts: Sequence[int]) -> dict[tuple[str, int], Cut]:
    """Name and segments asked -> what cuts an image; peers that are installed alone."""
    found: dict[str, Callable[[int], Cut]] = {
        "slic": lambda n: partial(ours, method="slic", n_segments=n),
        "felzenszwalb": lambda n: partial(ours, method="felzenszwalb", n_segments=n),
        "grid": lambda n: partial(grid, segments=n),
    }
    if importlib.util.find_spec("skimage") is not None:
        found["scikit-image slic"] = lambda n: partial(scikit_image, segments=n)
    if importlib.util.find_spec("cv2") is not None:
        import cv2

        if hasattr(cv2, "ximgproc"):
            found["OpenCV slic"] = lambda n: partial(opencv, segments=n)
    ways = {(name, n): make(n) for name, make in found.items() for n in counts}
    return {**ways, ("grid of stride 4", 0): lambda rgb: ImageGraph("grid").segments(rgb)}


def pictures(samples: ImageSet) -> Iterator[Picture]:
    """Those of a set with truth."""
    for i in range(len(samples)):
        truth = samples.truth(i)
        assert truth is not None
        category = np.array(samples.category_ids or (1,))
        category = category[truth.category if samples.class_names else 0 * truth.category]
        number = samples.image_id(i)
        assert number is not None
        yield Picture(as_rgb(samples.image(i)), truth.code, category, number)


def truth_of(samples: ImageSet) -> CocoTruth:
    """What its masks are scored against: its own images alone, of a file that may have others."""
    path = getattr(samples, "annotation_file", None)
    if path is None:
        return coco_truth_of(samples.coco_content(), "truth")  # type: ignore[attr-defined]
    numbers = [samples.image_id(i) for i in range(len(samples))]
    return read_coco_truth(path).only([number for number in numbers if number is not None])


def perfect(segment: np.ndarray, picture: Picture) -> list[dict[str, Any]]:
    """COCO results: each object is the segments of which it has most pixels."""
    count, flat = int(segment.max()) + 1, segment.reshape(-1)
    owner = -segment_majority(flat, -picture.code.reshape(-1), count)  # of equal ones the object
    found = np.maximum(owner - FIRST, -1)[segment]
    codes = encoded_labels(found, len(picture.category))
    return [
        {
            "image_id": picture.image_id, "category_id": int(picture.category[k]),
            "segmentation": codes[k], "score": 1.0,
        }
        for k in np.unique(found[found >= 0])
    ]  # fmt: skip


@dataclass
class Tally:
    """What is known of one segmenter; lists are by image."""

    segments: list[int]
    asa: list[float]
    cut_ms: list[float]  # per 640 x 480 pixels
    describe_ms: list[float]
    masks: list[dict[str, Any]]


def seconds_of(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Processor time and result."""
    start = time.process_time()
    found = function(*arguments)
    return time.process_time() - start, found


def measure(images: Iterator[Picture], ways: dict[tuple[str, int], Cut]) -> dict[Any, Tally]:
    """Every image by all segmenters in turn."""
    tallies = {way: Tally([], [], [], [], []) for way in ways}
    rng = np.random.default_rng(0)
    for number, picture in enumerate(images):
        lab, per_vga = cielab(picture.rgb), 1000 * VGA / picture.code.size
        counted = picture.code != IGNORED
        order = list(ways)
        for i in rng.permutation(len(order)):
            tally = tallies[order[i]]
            if number == 0:
                ways[order[i]](picture.rgb)  # tables, threads and libraries are set up
            cut, segment = seconds_of(ways[order[i]], picture.rgb)
            described, _ = seconds_of(describe, segment, lab)
            tally.segments.append(len(np.unique(segment)))
            tally.cut_ms.append(cut * per_vga)
            tally.describe_ms.append(described * per_vga)
            tally.asa.append(achievable_accuracy(segment[counted], picture.code[counted]))
            tally.masks += perfect(segment, picture)
    return tallies


class Row(NamedTuple):
    """A segmenter and its medians (times) and means (the rest) over the images."""

    name: str
    asked: int  # segments; 0: not by number
    got: float  # segments of an image
    asa: float
    ap: float  # of perfect grouping
    ap50: float
    cut_ms: float  # per 640 x 480 pixels
    over_it: float  # time of scikit-image for as many over that of the cut; nan: not installed
    describe_ms: float  # statistics and adjacency


def main(sets: Sequence[ImageSet], counts: Sequence[int]) -> list[Row]:
    """The table of the images of some splits of a dataset."""
    torch.set_num_threads(1)
    truths = [truth_of(each) for each in sets]
    truth = replace(
        truths[0],
        sizes={k: v for each in truths for k, v in each.sizes.items()},
        categories=tuple(sorted({k for each in truths for k in each.categories})),
        objects=tuple(entry for each in truths for entry in each.objects),
    )
    if len(truth.sizes) != sum(len(each) for each in sets):
        raise InputError("the splits share image ids; score them one at a time")
    tallies = measure((p for each in sets for p in pictures(each)), segmenters(counts))
    rows = []
    for (name, asked), tally in tallies.items():
        metric = CocoMetrics(max_dets=1000, class_agnostic=not sets[0].class_names)
        metric.update(tally.masks, truth, name)
        scores = metric.compute()
        peer = tallies.get(("scikit-image slic", asked))
        ratio = np.median(np.divide(peer.cut_ms, tally.cut_ms)) if peer else np.nan
        rows.append(
            Row(
                name, asked, float(np.mean(tally.segments)), float(np.mean(tally.asa)),
                scores["ap"], scores["ap50"], float(np.median(tally.cut_ms)), float(ratio),
                float(np.median(tally.describe_ms)),
            )
        )  # fmt: skip
    return rows


def opened(options: argparse.Namespace, split: str) -> Any:
    """A split of the dataset that a command line names.

    Raises:
        InputError: --max-images of a dataset that is generated.
    """
    if options.max_images is None:
        return resolve_dataset(options.dataset)(options.data_root, split)
    if options.data_root is None:
        raise InputError(
            f"--max-images {options.max_images}: generated images have no such limit; give the "
            "folder of a dataset with --data-root, or leave it out"
        )
    return resolve_dataset(options.dataset)(options.data_root, split, max_images=options.max_images)


def chosen(options: argparse.Namespace) -> list[ImageSet]:
    """The splits that a command line names; InputError: they are not cut into segments."""
    sets = [opened(options, split) for split in options.splits]
    if not isinstance(sets[0], ImageSet):
        raise InputError(
            f"--dataset {options.dataset}: its images are not cut into segments; charts: "
            "python examples/line_ceilings.py"
        )
    return sets


def arguments(about: str, dataset: str) -> argparse.ArgumentParser:
    """What programs on cut images take, and the dataset that they take by default."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--dataset", default=dataset)
    parser.add_argument("--data-root")
    parser.add_argument("--splits", nargs="+", default=["calib"])
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--max-images", type=int, help="of each split, the first")
    return parser


if __name__ == "__main__":
    given = arguments(__doc__, "shapes").parse_args()
    print("| segments | asked | got | ASA | AP | AP50 | ms | scikit-image over it | "
          "statistics and adjacency, ms |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for row in main(chosen(given), given.counts):
        over = "" if np.isnan(row.over_it) else f"{row.over_it:.1f}"
        print(f"| {row.name} | {row.asked or ''} | {row.got:.0f} | {row.asa:.4f} | {row.ap:.3f} | "
              f"{row.ap50:.3f} | {row.cut_ms:.1f} | {over} | {row.describe_ms:.1f} |")  # fmt: skip
