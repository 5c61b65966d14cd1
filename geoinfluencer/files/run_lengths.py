"""Run lengths of masks, as COCO counts them: column by column, background first."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

_MOST_DIGITS = 7  # of five bits: what a run of 32 bits needs


def run_lengths(counts: bytes) -> np.ndarray:
    """Decode COCO's compressed string to (R,) int64 run lengths.

    A character holds five bits of a number, the least first, and a bit that says whether more
    follow; from the fourth run on a number is the difference to the run two before.

    Raises:
        ValueError: It is no such string.
    """
    codes = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if not len(codes):
        return codes
    more = (codes & 32) > 0
    if codes.min() < 0 or codes.max() > 63 or more[-1]:
        raise ValueError("counts is no compressed run-length code")
    first = np.flatnonzero(~np.concatenate([[False], more[:-1]]))
    digits = np.diff(first, append=len(codes))
    if digits.max() > _MOST_DIGITS:
        raise ValueError("counts holds a run that no image has")
    place = np.arange(len(codes)) - np.repeat(first, digits)
    value = np.add.reduceat((codes & 31) << (5 * place), first)
    negative = (codes[first + digits - 1] & 16) > 0
    value -= np.where(negative, 1 << (5 * digits), 0)
    value[1::2] = np.cumsum(value[1::2])
    value[2::2] = np.cumsum(value[2::2])
    return value


def runs_of_labels(labels: np.ndarray, count: int) -> list[np.ndarray]:
    """Run lengths of the masks ``labels == 0 ... count - 1``, in one pass over the pixels.

    Args:
        labels: (H, W) integers; others than those belong to no mask.
        count: K masks.

    Returns:
        K arrays of int64; that of a label without pixels is ``[H * W]``.
    """
    flat = labels.T.reshape(-1)
    edge = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    start = np.concatenate([[0], edge])[: len(flat)]
    stop = np.append(edge, len(flat))[: len(start)]
    order = np.argsort(flat[start], kind="stable")
    bounds = np.searchsorted(flat[start][order], np.arange(count + 1))
    ends = np.stack([start, stop], axis=1)[order]
    return [
        np.diff(ends[low:high].reshape(-1), prepend=0, append=len(flat))
        for low, high in pairwise(bounds)
    ]
