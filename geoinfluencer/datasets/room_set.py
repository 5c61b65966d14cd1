"""What sets of rooms share: the way from the points of a room to a sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from functools import partial
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import torch
from torch_geometric.data import Data, Dataset

from geoinfluencer.datasets.graph_options import room_graph
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_sample import room_sample
from geoinfluencer.datasets.room_view import RoomView, show_view_options
from geoinfluencer.datasets.sample_cache import SampleCache, access_rng
from geoinfluencer.graphs.point_augment import augmented_points, crop_points


class RoomSet(Dataset):
    """Rooms as graphs of voxels or superpoints: parts of them, augmented, for training; else whole
    by default.

    A derived class has :meth:`room`, :meth:`room_name`, :meth:`num_rooms` and :meth:`fixed_rng`.

    Args:
        split: ``"train"`` is cut and augmented at every access.
        background: Classes that are no instances.
        view: Options of :class:`~geoinfluencer.datasets.room_view.RoomView`. A constructor of a
            derived class that passes them on as ``**view`` has them in its signature.

    Raises:
        InputError: On options that make no sense.
    """

    protocol: ClassVar[str] = "rooms"
    primary_metric: ClassVar[str] = "pq"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        init = vars(cls).get("__init__")
        if init is not None:
            show_view_options(init)

    def __init__(self, split: str, *, background: Collection[int], **view: Any) -> None:
        super().__init__(None)
        chosen = RoomView(**view)
        self.split = split
        self.has_truth = True
        self._training = split == "train"
        self._parts = chosen.parts_per_room if self._training else 1
        self._background = background
        self._hold_out = chosen.hold_out
        self._max_nodes = chosen.max_nodes if self._training else chosen.max_eval_nodes
        self._max_eval_nodes = chosen.max_eval_nodes
        self._crop = chosen.crop
        self._augment = partial(
            augmented_points, rotate=chosen.rotate, mirror=chosen.mirror, scale=chosen.scale,
            color_drop=chosen.color_drop,
        )  # fmt: skip
        self._builder = room_graph(chosen.graph)
        self._kept = SampleCache(chosen.keep)

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
            sample = crop_points(whole, center, self._max_nodes, self._crop)
        return self._augment(sample, rng) if self._training else sample

    def use_for_scoring(self) -> None:
        """From now on training samples too come as they are, not in parts and turned."""
        self._training, self._parts, self._max_nodes = False, 1, self._max_eval_nodes
        self._kept.clear()  # without what leads back to points

    @property
    def stuff(self) -> tuple[int, ...]:
        """Numbers of the classes that are no instances."""
        return tuple(number for number in self._background if number >= 0)

    @property
    def scored_share(self) -> float:
        """Share of the points of a room that this split looks at, see ``hold_out``."""
        learns = self.split in ("train", "calib")
        return 1 - self._hold_out if learns or not self._hold_out else self._hold_out

    def point_truth(self, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Truth of the raw points of a room: (P,) instance, -1 = none that counts, and (P,) class,
        -1 = none; ``None`` instead of classes where the set has no ``class_names``."""
        room = self.room([self.room_name(i) for i in range(self.num_rooms())].index(name))
        label = np.append(room.label, -1)[room.instance]
        instance = np.where(np.isin(label, list(self._background)), -1, room.instance)
        return instance, self._classes_of(label) if getattr(self, "class_names", None) else None

    def point_cloud(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The raw points of a room: (P, 3) positions, and (P, 3) colours, one for all = none."""
        room = self.room([self.room_name(i) for i in range(self.num_rooms())].index(name))
        return room.pos, room.color

    def _classes_of(self, label: np.ndarray) -> np.ndarray:
        """Classes of points from the labels of a room, where those of a set say more."""
        return label

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.split!r}, {len(self)})"

    def _build(self, idx: int) -> Data:
        room, name = self.room(idx), self.room_name(idx)
        return room_sample(
            room, self._builder, name=name, background=self._background,
            counted=self._counted(name, len(room.pos)),
            keep_map=not self._training,  # a large part of a sample, and nobody asks there
        )  # fmt: skip

    def _counted(self, name: str, points: int) -> np.ndarray | None:
        """Points of a room that this split may look at; ``None``: all."""
        if not self._hold_out:
            return None
        held_out = np.random.default_rng(crc32(name.encode())).random(points) < self._hold_out
        return ~held_out if self.split in ("train", "calib") else held_out
