"""How fast images are cut into segments, and what whole segments allow at best.

python examples/segmenters.py                                    # generated shapes, calib
python examples/segmenters.py --dataset coco --data-root DIR --splits train calib val
python examples/segmenters.py --dataset nuclei --data-root DIR --splits train calib
python examples/segmenters.py --dataset synthetic-charts         # best IoU of thin lines

Coco: --images images/{split}2017 where the folders of the splits lie elsewhere. All get the same
RGB floats, in one process and on one thread, image by image in turn, in another order each time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from geoinfluencer.datasets import resolve_dataset
from geoinfluencer.datasets.image_set import ImageSet
from geoinfluencer.datasets.line_set import LineSet
from geoinfluencer.datasets.pixel_codes import FIRST, IGNORED
from geoinfluencer.errors import InputError
from geoinfluencer.files.coco_masks import encoded_labels
from geoinfluencer.graphs import ImageGraph, PixelGraph, superpoint_ceiling
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
    try:
        import skimage  # noqa: F401

        found["scikit-image slic"] = lambda n: partial(scikit_image, segments=n)
    except ImportError:
        print("scikit-image is not installed: pip install scikit-image\n")
    try:
        import cv2

        if hasattr(cv2, "ximgproc"):
            found["OpenCV slic"] = lambda n: partial(opencv, segments=n)
    except ImportError:
        pass
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


def main(sets: Sequence[ImageSet], counts: Sequence[int]) -> list[tuple[Any, ...]]:
    """Rows of the table: name, segments asked, segments a picture, ASA, AP, AP50 of perfect
    grouping, milliseconds of the cut per 640 x 480 pixels, the median over the images of the time
    of scikit-image for as many over it, milliseconds of statistics and adjacency."""
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
            (
                name, asked, float(np.mean(tally.segments)), float(np.mean(tally.asa)),
                scores["ap"], scores["ap50"], float(np.median(tally.cut_ms)), float(ratio),
                float(np.median(tally.describe_ms)),
            )
        )  # fmt: skip
    return rows


def lines(samples: LineSet, counts: Sequence[int]) -> list[tuple[str, int, float, float]]:
    """Rows: name, segments asked, nodes an image, mean over the lines of the best IoU that whole
    nodes allow; pixels that two lines share do not count."""
    ways: dict[tuple[str, int], Cut] = {
        way: cut for way, cut in segmenters(counts).items() if "felz" not in way[0]
    }

    def pixel_nodes(rgb: np.ndarray, **options: Any) -> np.ndarray:
        node = PixelGraph(**options)(rgb).segment_map.numpy().astype(np.int64)
        return np.where(node < 0, node.max() + 1, node).reshape(rgb.shape[:2])  # the rest is one

    ways["pixels of ink", 0] = pixel_nodes
    ways["pixels of ink and their fringes (ridge 0)", 0] = partial(pixel_nodes, ridge=0.0)
    nodes: dict[Any, list[int]] = {way: [] for way in ways}
    ious: dict[Any, list[np.ndarray]] = {way: [] for way in ways}
    for i in range(len(samples)):
        image, truth = samples.image_and_truth(i)
        assert truth is not None
        counted, label = truth.code != IGNORED, np.maximum(truth.code - FIRST, -1)
        for way, cut in ways.items():
            segment = cut(as_rgb(image))
            nodes[way].append(len(np.unique(segment)))
            ious[way].append(superpoint_ceiling(segment[counted], label[counted], 1))
    return [
        (*way, float(np.mean(nodes[way])), float(np.concatenate(ious[way]).mean())) for way in ways
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="shapes")
    parser.add_argument("--data-root")
    parser.add_argument("--splits", nargs="+", default=["calib"])
    parser.add_argument("--images", help="coco: folder of a split, such as images/{split}2017")
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    parser.add_argument("--max-images", type=int, help="of each split, the first; charts: 20")
    options = parser.parse_args()
    cls = resolve_dataset(options.dataset)
    extra: dict[str, Any] = {}
    if options.images is not None:
        extra = {f"{s}_images": options.images.format(split=s) for s in ("train", "val")}
    if options.data_root is not None and options.max_images is not None:
        extra["max_images"] = options.max_images
    chosen: list[Any] = [cls(options.data_root, split, **extra) for split in options.splits]
    if isinstance(chosen[0], LineSet):
        print("| nodes | asked | nodes an image | mean best IoU of a line |\n|---|---|---|---|")
        for name, asked, count, iou in lines(chosen[0], options.counts):
            print(f"| {name} | {asked or ''} | {count:.0f} | {iou:.3f} |")
    else:
        print("| segments | asked | got | ASA | AP | AP50 | ms | scikit-image over it | "
              "statistics and adjacency, ms |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
        for name, asked, got, asa, ap, ap50, ms, ratio, described in main(chosen, options.counts):
            times = "" if np.isnan(ratio) else f"{ratio:.1f}"
            print(f"| {name} | {asked or ''} | {got:.0f} | {asa:.4f} | {100 * ap:.1f} | "
                  f"{100 * ap50:.1f} | {ms:.1f} | {times} | {described:.1f} |")  # fmt: skip
