"""What pictures of images need beside the outputs of a model: the pixels, and overlays on disk."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.files.coco_masks import mask_module
from geoinfluencer.plots.overlay import overlay, png
from geoinfluencer.training.data import attribute, class_names
from geoinfluencer.training.scoring.image_names import ImageNames
from geoinfluencer.training.scoring.inference import SampleResult

MOST_OVERLAYS = 100  # of an evaluation; predict writes them all

Picture = Callable[[], np.ndarray]


def picture_of(samples: object, sample: Data) -> Picture | None:
    """What gives the pixels of a sample's image; None of datasets without ``image(idx)``."""
    read, number = attribute(samples, "image", None), sample.get("image_number")
    if read is None or number is None:
        return None
    place = int(number)
    return lambda: read(place)


def display_of(samples: object, result: SampleResult) -> dict[str, np.ndarray]:
    """``image``, ``pixel_truth`` (H W,), ``pixel_predicted`` (H W,) and the names of the
    classes of a sample with the way back to pixels, where they are known; see
    :func:`~geoinfluencer.plots.image_panels`."""
    picture = picture_of(samples, result.sample)
    if picture is None or result.sample.get("segment_map") is None:
        return {}
    arrays = {"image": picture()}
    assert result.instances is not None
    found = result.pixel_instances(result.instances.instance)
    if found is not None:
        arrays["pixel_predicted"] = found.numpy()
    truth = attribute(samples, "truth", lambda _: None)(int(result.sample.image_number))
    if truth is not None:
        arrays["pixel_truth"] = truth.labels().reshape(-1)
    names = np.array(class_names(samples), dtype=str)
    if len(names) and result.instances.label is not None:
        arrays["predicted_class"] = names[result.instances.label.cpu().numpy()]
        if truth is not None:
            arrays["truth_class"] = names[truth.category]
    return arrays


def write_overlays(
    pictures: Iterable[tuple[str, Picture | None, Sequence[Mapping[str, Any]]]],
    folder: Path,
    most: int | None = None,
) -> list[Path]:
    """Write ``overlays/NAME.png``, an image with its masks filled and outlined, one at a time;
    nameless images, and further ones of a name, are numbered.

    Args:
        pictures: Name, pixels and masks (COCO results) of each image; where there are no pixels
            there is no overlay. An image that can no longer be read has none, with a warning.
        folder: The parent folder.
        most: Images at most; None: all.
    """
    written: list[Path] = []
    names = ImageNames()
    for given, picture, entries in pictures:
        name = names(given.replace("/", "-"))
        if picture is None or (most is not None and len(written) >= most):
            continue
        try:
            image = picture()
        except InputError as error:  # its masks are written: the other images still have theirs
            warnings.warn(f"no overlay of {given}: {error}", stacklevel=2)
            continue
        labels = painted(image.shape[:2], entries)
        path = folder / "overlays" / f"{name}.png"
        with atomic_path(path) as temporary:
            temporary.write_bytes(png(overlay(image, labels)))
        written.append(path)
    return written


def painted(shape: tuple[int, ...], entries: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(H, W) int64 number of the mask of each pixel, the best scored one on top; -1 = none."""
    labels = np.full(shape, -1, np.int64)
    order = sorted(range(len(entries)), key=lambda k: (float(entries[k]["score"]), -k))
    for k in order:
        labels[mask_module("overlays").decode(entries[k]["segmentation"]).astype(bool)] = k
    return labels
