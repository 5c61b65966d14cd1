"""What sets of rooms share: the way from the points of a room to a sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch_geometric.data import Data, Dataset

from geoinfluencer.datasets.graph_options import build_with_options
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_sample import room_sample
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.errors import InputError
from geoinfluencer.graphs.point_augment import augmented_points, crop_points
from geoinfluencer.graphs.points import PointGraph


class RoomSet(Dataset):
    """Rooms as graphs of voxels: parts of them, augmented, for training; else whole by default.

    A derived class has :meth:`room`, :meth:`room_name`, :meth:`num_rooms` and :meth:`fixed_rng`.

    Args:
        split: ``"train"`` is cut and augmented at every access.
        parts_per_room: Training samples of a room and epoch.
        max_nodes: Nodes of a training sample, at most: a part of the room about a random place,
            another at every access; ``None`` = whole rooms.
        max_eval_nodes: The same for the other splits, where the part is always the same one.
        crop: ``"column"``: what is nearest in x and y, from floor to ceiling; ``"sphere"``.
        rotate: Turn training samples about z by a random angle.
        mirror: Mirror training samples with probability 1/2.
        scale: Training samples are scaled by up to 1 +- this.
        color_drop: Share of training samples without colour.
        keep: Number of whole rooms kept in memory, as graphs.
        background: Classes that are no instances.
        graph: Options of :class:`~geoinfluencer.graphs.points.PointGraph`.

    Raises:
        InputError: On options that make no sense.
    """

    protocol: ClassVar[str] = "nodes"
    primary_metric: ClassVar[str] = "pq"

    def __init__(
        self,
        split: str,
        *,
        max_nodes: int | None,
        max_eval_nodes: int | None,
        crop: str,
        rotate: bool,
        mirror: bool,
        scale: float,
        color_drop: float,
        keep: int,
        background: Collection[int],
        graph: dict[str, Any] | None,
        parts_per_room: int = 1,
    ) -> None:
        super().__init__(None)
        if crop not in ("column", "sphere"):
            raise InputError(f"crop {crop!r} is neither 'column' nor 'sphere'")
        for name, value in (("max_nodes", max_nodes), ("max_eval_nodes", max_eval_nodes)):
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, or null for all, got {value}")
        for name, share in (("scale", scale), ("color_drop", color_drop)):
            if not 0 <= share <= 1 or (share == 1 and name == "scale"):
                raise InputError(f"{name} must be in [0, 1], below 1 for scale, got {share}")
        if parts_per_room < 1:
            raise InputError(f"parts_per_room must be at least 1, got {parts_per_room}")
        self.split = split
        self.has_truth = True
        self._training = split == "train"
        self._parts = parts_per_room if self._training else 1
        self._background = background
        self._max_nodes = max_nodes if self._training else max_eval_nodes
        self._crop = crop
        self._augment = partial(
            augmented_points, rotate=rotate, mirror=mirror, scale=scale, color_drop=color_drop
        )
        self._builder = build_with_options(PointGraph, graph)
        self._kept = SampleCache(keep)

    @abstractmethod
    def room(self, idx: int) -> Room:
        """Return room ``idx``, its points without a graph."""

    @abstractmethod
    def room_name(self, idx: int) -> str:
        """Name of room ``idx``, which its samples have."""

    @abstractmethod
    def num_rooms(self) -> int:
        """Number of rooms of the split."""

    @abstractmethod
    def fixed_rng(self, idx: int) -> np.random.Generator:
        """What room ``idx`` is cut with outside training: the same at every access."""

    def len(self) -> int:
        """Number of samples: rooms, times ``parts_per_room`` for training."""
        return self.num_rooms() * self._parts

    def get(self, idx: int) -> Data:
        """Build sample ``idx``; training samples are another part each time, turned otherwise."""
        idx //= self._parts
        whole = self._kept.get(idx, lambda: self._build(idx))
        rng = access_rng() if self._training else self.fixed_rng(idx)
        sample = whole
        if self._max_nodes is not None:
            low, high = whole.pos.min(0).values, whole.pos.max(0).values
            center = low + (high - low) * torch.from_numpy(rng.random(3)).float()
            sample = crop_points(whole, center, self._max_nodes, self._crop)  # type: ignore[arg-type]
        return self._augment(sample, rng) if self._training else sample

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.split!r}, {len(self)})"

    def _build(self, idx: int) -> Data:
        return room_sample(
            self.room(idx), self._builder, name=self.room_name(idx), background=self._background,
            keep_map=not self._training,  # a large part of a sample, and nobody asks there
        )  # fmt: skip
