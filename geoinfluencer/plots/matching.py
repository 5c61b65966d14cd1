"""Which true instance a predicted one stands for, and what is wrong with each node."""

from __future__ import annotations

import numpy as np

from geoinfluencer.metrics.matching import match_tracks

RIGHT, ELSEWHERE, UNASSIGNED, IN_PART, NOISE_TAKEN, NOISE_LEFT, IGNORED = range(7)


def majority(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Per predicted id 0..P-1 the true id with most of its nodes.

    By :func:`~geoinfluencer.metrics.matching.match_tracks`, so that pictures agree with the numbers
    beside them: of several it is the one with fewer nodes in all, then the smaller id.

    Args:
        truth: (N,) true instance, -1 = none (a candidate like any other).
        predicted: (N,) predicted instance, -1 = unassigned.

    Returns:
        (P,) true id, -1 where noise dominates; P = largest predicted id + 1.
    """
    result = np.full(int(predicted.max(initial=-1)) + 1, -1, np.int64)
    match = match_tracks(predicted, truth + 1)  # noise is particle 0 there
    result[match.track_id] = match.particle_id[match.majority] - 1
    return result


def matched_instance(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Per node (N,) the true instance its predicted one stands for, so that colours agree.

    Predicted instances dominated by noise get numbers after the largest true id.
    """
    owner = majority(truth, predicted)
    fresh = int(truth.max(initial=-1)) + 1 + np.arange(len(owner))
    owner = np.where(owner >= 0, owner, fresh)
    return np.where(predicted >= 0, owner[predicted] if len(owner) else -1, -1)


def node_errors(
    truth: np.ndarray, predicted: np.ndarray, ignore: np.ndarray | None = None
) -> np.ndarray:
    """What is wrong with each node (N,): one of the constants of this module.

    A node is right when its predicted instance is the one that holds most of its true instance
    and is dominated by it; in part when another predicted instance holds more of it.
    """
    owner = majority(truth, predicted)
    state = np.full(truth.shape, RIGHT, np.int64)
    signal, assigned = truth >= 0, predicted >= 0
    state[~signal] = np.where(assigned[~signal], NOISE_TAKEN, NOISE_LEFT)
    state[signal & ~assigned] = UNASSIGNED
    both = signal & assigned
    at_home = np.zeros_like(both)
    at_home[both] = owner[predicted[both]] == truth[both]
    state[both & ~at_home] = ELSEWHERE
    if at_home.any():
        pairs, inverse, count = np.unique(
            np.stack([truth[at_home], predicted[at_home]]),
            axis=1, return_inverse=True, return_counts=True,
        )  # fmt: skip
        order = np.lexsort((-pairs[1], count))
        largest = np.full(int(truth.max()) + 1, -1, np.int64)
        largest[pairs[0][order]] = pairs[1][order]
        first = largest[pairs[0]] == pairs[1]
        state[np.flatnonzero(at_home)[~first[inverse.reshape(-1)]]] = IN_PART
    if ignore is not None:
        state[ignore] = IGNORED
    return state
