"""Charts with annotated lines as a PyG dataset of pixel graphs."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoinfluencer.datasets.image_files import find_images, read_image
from geoinfluencer.datasets.image_folders import check_images_exist, images_by_stem
from geoinfluencer.datasets.image_set import check_parts, part_of_training
from geoinfluencer.datasets.line_sample import LineTruth, line_truth
from geoinfluencer.datasets.line_set import LineSet
from geoinfluencer.datasets.pixel_codes import BACKGROUND, FIRST, IGNORED
from geoinfluencer.errors import InputError
from geoinfluencer.files.chart_lines import ChartImage, read_chart_images
from geoinfluencer.files.polyline_raster import distance_map, segment_samples, segments_of
from geoinfluencer.files.ub_pmc import read_ub_pmc, ub_pmc_files

Split = Literal["train", "calib", "val", "test", "all"]


class Lines(LineSet):
    """Images of charts whose lines are polylines in a JSON file; nodes are pixels of ink.

    ``pos`` is in **pixels**. Polylines are drawn with ``thickness``; a node on two of them is
    ignored, as is one less than ``rim`` pixels beside one; all others are background. ``line_xy``
    and ``line_of`` are the points of the polylines. Annotations are COCO-like files as those of
    ChartOCR and LineEX, see :func:`~geoinfluencer.files.chart_lines.read_chart_images`, or folders
    with UB-PMC's file for each image.

    Args:
        root: Folder that the other paths start from; ``None`` = the current one. For ``"all"``: an
            image, or a folder whose images, at any depth, are read without truth.
        split: ``"train"``, ``"calib"`` (a part of the training images, which ``"train"`` lacks),
            ``"val"``, ``"test"`` or ``"all"``.
        train_json: Annotations of the training images: a COCO-like file, or a folder of UB-PMC.
        train_img_dir: Folder of the training images.
        val_json: Annotations of the validation images.
        val_img_dir: Their folder.
        test_json: Annotations of the test images.
        test_img_dir: Their folder.
        line_category_id: Category of the annotations that are lines, which differs from source to
            source; ``None`` = the one with ``line`` in its name, else the only one.
        thickness: Of the drawn polylines in pixels.
        rim: Nodes so many pixels beside a drawn polyline are ignored: strokes wider than
            ``thickness`` are no background there.
        calib_share: Share of the training images that calibrate and are not trained on.
        seed: Which those are.
        max_images: At most so many images of a split, the first; None = all. ``"all"`` is always
            all.
        mirror: Mirror training samples, left to right and upside down, with probability 1/2 each.
        keep: Number of built samples kept in memory, as long as they have less than 1 GiB together.
        graph: Options of :class:`~geoinfluencer.graphs.PixelGraph`.

    Raises:
        InputError: On options that make no sense, and on files that are missing or wrong.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: Split = "train",
        *,
        train_json: str = "train.json",
        train_img_dir: str = "train",
        val_json: str = "val.json",
        val_img_dir: str = "val",
        test_json: str = "test.json",
        test_img_dir: str = "test",
        line_category_id: int | None = 2,
        thickness: float = 2.0,
        rim: float = 1.0,
        calib_share: float = 0.1,
        seed: int = 0,
        max_images: int | None = None,
        mirror: bool = True,
        keep: int = 500,
        graph: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(split, mirror=mirror, keep=keep, graph=graph)
        check_parts(calib_share, max_images)
        if not (0 < thickness < math.inf and 0 <= rim < math.inf):
            raise InputError(
                f"thickness={thickness}, rim={rim}: the thickness must be positive, the rim not "
                "negative"
            )
        self.root = None if root is None else str(root)
        self.has_truth = split != "all"
        self.annotation_file: Path | None = None
        self._thickness, self._rim = float(thickness), float(rim)
        self.category_ids: tuple[int | None, ...] = ()  # of lines, in the annotations
        self._files: Sequence[tuple[Path, ChartImage | None]]
        base = Path(root or ".")
        if split == "all":
            self._files = [(path, None) for path in find_images(base)]
        else:
            annotations, folder = {
                "val": (val_json, val_img_dir),
                "test": (test_json, test_img_dir),
            }.get(split, (train_json, train_img_dir))
            self.annotation_file = base / annotations
            images = _annotated(self.annotation_file, base / folder, line_category_id)
            self.category_ids = tuple({image.category for image in images} - {None})
            source = str(self.annotation_file)
            images = part_of_training(images, split, calib_share, seed, source)
            files = [(base / folder / image.file_name, image) for image in images]
            self._files = files[:max_images]
            check_images_exist([path for path, _ in self._files], self.annotation_file)
            self._check_stated_sizes()

    def len(self) -> int:
        """Number of images."""
        return len(self._files)

    def image_and_truth(self, idx: int) -> tuple[np.ndarray, LineTruth | None]:
        """Pixels of image ``idx``, upright, and its lines, drawn; None in split ``"all"``."""
        image, entry = self.image(idx), self._files[idx][1]
        if entry is None:
            return image, None
        self._check_thickness(idx, image.shape[1], image.shape[0])
        height, width = image.shape[:2]
        return image, draw_lines(entry.pieces, (height, width), self._thickness, self._rim)

    def image(self, idx: int) -> np.ndarray:
        """Pixels of image ``idx``, upright: (H, W) or (H, W, 3 or 4)."""
        path, entry = self._files[idx]
        size = None
        if entry is not None and entry.width is not None and entry.height is not None:
            size = entry.width, entry.height
        return read_image(path, size)

    def image_name(self, idx: int) -> str:
        """The file's name without its ending."""
        return self._files[idx][0].stem

    def file_name(self, idx: int) -> str | None:
        """As the annotations have it, or below the folder that was given; None of a single file."""
        path, entry = self._files[idx]
        if entry is not None:
            return entry.file_name
        base = Path(self.root or ".")
        return path.relative_to(base).as_posix() if base.is_dir() else None

    def image_id(self, idx: int) -> int | None:
        """Its id in the annotations, of a folder of UB-PMC its place; None in split ``"all"``."""
        entry = self._files[idx][1]
        return None if entry is None else entry.id

    def __repr__(self) -> str:
        place = "." if self.root is None else Path(self.root).name
        return f"{type(self).__name__}({place!r}, {self.split!r}, {len(self)})"

    def _check_stated_sizes(self) -> None:
        for idx, (_, entry) in enumerate(self._files):
            if entry is not None and entry.width is not None and entry.height is not None:
                self._check_thickness(idx, entry.width, entry.height)

    def _check_thickness(self, idx: int, width: int, height: int) -> None:
        """A stroke as wide as the chart would make one line of all of it."""
        reach = self._thickness + 2 * self._rim
        if reach >= min(width, height):
            raise InputError(
                f"{self._files[idx][0]}: thickness={self._thickness:g} with rim={self._rim:g} is "
                f"as wide as the chart, {width} x {height} pixels; give the thickness of the drawn "
                "lines, 1 to 5 pixels as a rule"
            )


def draw_lines(
    lines: Sequence[Sequence[np.ndarray]],
    size: tuple[int, int],
    thickness: float,
    rim: float,
) -> LineTruth:
    """Draw polylines as codes of pixels: a line within half of ``thickness``, ignored where two
    are, and where none is but one is no further than ``rim`` beyond that.

    Args:
        lines: Of each line its pieces (P, 2) x, y in pixels; parts outside of the image are cut.
        size: H and W.
        thickness: In pixels.
        rim: In pixels.
    """
    number = np.zeros(size, np.int64)
    count = np.zeros(size, np.int64)
    beside = np.zeros(size, bool)
    for k, pieces in enumerate(lines):
        segments = np.concatenate([segments_of(piece.astype(np.float64)) for piece in pieces])
        points = segment_samples(segments, (*size, thickness / 2 + rim + 1))[0]
        distance = distance_map(points, size, thickness / 2 + rim)
        inside = distance <= thickness / 2
        number[inside] = k
        count += inside
        beside |= np.isfinite(distance) & ~inside
    code = np.where(count == 1, FIRST + number, BACKGROUND)
    code[(count > 1) | (beside & (count == 0))] = IGNORED
    return line_truth(code, [np.concatenate(pieces) for pieces in lines])


def _annotated(path: Path, folder: Path, category_id: int | None) -> list[ChartImage]:
    """Images and their lines, of a COCO-like file or of a folder of UB-PMC's files."""
    if not path.is_dir():
        return read_chart_images(path, category_id=category_id)
    files = ub_pmc_files(path)
    name_of = images_by_stem(folder)
    images = []
    for number, file in enumerate(files):
        if file.stem not in name_of:
            raise InputError(f"{file}: has no image of that name in {folder}")
        lines = tuple((line,) for line in read_ub_pmc(file))
        images.append(ChartImage(number, name_of[file.stem], None, None, lines))
    return images
