"""A scanned room: points, whose instances they are, and the classes of these."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Room:
    """A scanned room.

    Attributes:
        pos: (P, 3) float32, metres, z up.
        color: (P, 3) uint8; one colour for all points is none.
        instance: (P,) integers, 0..K-1, -1 = not annotated.
        label: (K,) int64 class of each instance, -1 = none of the set's classes.
        segment: (P,) integers, the scan's own superpoints; (0,) where it has none.
    """

    pos: np.ndarray
    color: np.ndarray
    instance: np.ndarray
    label: np.ndarray
    segment: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
