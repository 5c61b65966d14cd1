"""What all sets of charts share: from images and their lines to samples."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from torch_geometric.data import Data, Dataset

from geoinfluencer.datasets.graph_options import build_with_options
from geoinfluencer.datasets.line_sample import LineTruth, attach_lines
from geoinfluencer.datasets.pixel_codes import IGNORED
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.pixel_augment import augmented_pixels
from geoinfluencer.graphs.pixel_graph import PixelGraph


class LineSet(Dataset):
    """Images whose nodes are pixels of ink and whose instances are lines; ``pos`` is in **pixels**.

    A set says what image ``idx`` is: :meth:`image_and_truth`, :meth:`image_name`, :meth:`image_id`
    and :meth:`len`.

    Args:
        split: ``"train"``, ``"calib"``, ``"val"``, ``"test"`` or ``"all"``.
        mirror: Mirror training samples, left to right and upside down, with probability 1/2 each.
        keep: Number of built samples kept in memory, as long as they have less than 1 GiB together.
        graph: Options of :class:`~geoinfluencer.graphs.PixelGraph`.

    Raises:
        InputError: On a split or option that there is not.
    """

    protocol: ClassVar[str] = "lines"
    primary_metric: ClassVar[str] = "pq"

    def __init__(
        self, split: str, *, mirror: bool, keep: int, graph: dict[str, Any] | None
    ) -> None:
        super().__init__(None)
        if split not in ("train", "calib", "val", "test", "all"):
            raise InputError(f"no split {split!r}; choose train, calib, val, test or all")
        self.split = split
        self._training = split == "train"
        self._mirror = mirror
        self._builder = build_with_options(PixelGraph, graph)
        self._kept = SampleCache(keep, max_bytes=2**30)

    @abstractmethod
    def image_and_truth(self, idx: int) -> tuple[np.ndarray, LineTruth | None]:
        """Pixels of image ``idx``, upright: (H, W) or (H, W, 3 or 4), and its lines; None: not
        known."""

    @abstractmethod
    def image_name(self, idx: int) -> str:
        """Name of the sample."""

    def file_name(self, idx: int) -> str | None:
        """Its file as annotations name it, folders included; None: nothing names it."""
        return None

    def image_id(self, idx: int) -> int | None:
        """Its id in annotations; None: it has none."""
        return None

    def image(self, idx: int) -> np.ndarray:
        """Pixels of image ``idx``, upright: (H, W) or (H, W, 3 or 4)."""
        return self.image_and_truth(idx)[0]

    def truth(self, idx: int) -> LineTruth:
        """The lines of image ``idx`` as points and, drawn, as codes of its pixels.

        Raises:
            InputError: They are not known.
        """
        return self._image_and_known_truth(idx)[1]

    def image_and_codes(self, idx: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of image ``idx`` and (H, W) what each belongs to, see
        :class:`~geoinfluencer.datasets.line_sample.LineTruth`; those that are no nodes are ignored.
        Without the graph, which takes most of the time of a sample.

        Raises:
            InputError: Its lines are not known.
        """
        image, truth = self._image_and_known_truth(idx)
        return image, np.where(self._builder.nodes_of(image), truth.code, IGNORED)

    def get(self, idx: int) -> Data:
        """Build sample ``idx``; training samples come as another random mirror image each time."""
        sample = self._kept.get(idx, lambda: self._build(idx))
        if not self._training:
            return sample
        return augmented_pixels(sample, access_rng(), mirror=self._mirror)

    def use_for_scoring(self) -> None:
        """From now on training samples too come as they are, not mirrored."""
        self._training = False
        self._kept.clear()  # without what leads back to pixels

    def _image_and_known_truth(self, idx: int) -> tuple[np.ndarray, LineTruth]:
        image, truth = self.image_and_truth(idx)
        if truth is None:
            raise InputError(f"{self.image_name(idx)}: split {self.split!r} has no truth")
        return image, truth

    def _build(self, idx: int) -> Data:
        (image, truth), number = self.image_and_truth(idx), self.image_id(idx)
        data = attach_lines(self._builder(image), truth)
        data.name = self.image_name(idx)
        data.image_number = torch.tensor([idx])
        file_name = self.file_name(idx)
        if file_name is not None:
            data.file_name = file_name
        if number is not None:
            data.image_id = torch.tensor([number])
        if self._training:
            del data.segment_map  # nothing in training leads back to pixels
        return data
