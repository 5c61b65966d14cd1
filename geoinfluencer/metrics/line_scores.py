"""Agreement of two sets of lines: the scores 6a and 6b of chart competitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

Lines = Sequence[np.ndarray]  # of (P, 2) points x, y


def published_agreement(predicted: np.ndarray, truth: np.ndarray) -> float:
    r"""F1 of two lines as LineFormer's script `metric6a.py
    <https://github.com/TheJaeLal/LineFormer>`_ computes it (Lal et al., ICDAR 2023; the rule is
    that of the CHART-Info competitions).

    With the points sorted by x and the other line read off at their x (its end beyond its ends),

    .. math:: R(P, G) = \frac{\sum_i w_i \, (1 - \min(1, |v_i - P(u_i)| / (|v_i| + \epsilon)))}
              {\sum_i w_i},\quad F = \frac{2 R(P, G) R(G, P)}{R(P, G) + R(G, P)}

    over the points :math:`(u_i, v_i)` of G; :math:`w_i` is half the way in x to the neighbours.

    Three things are kept as published. The error is **relative to the distance from the origin**,
    which in an image is its upper edge: the same miss of some pixels costs more on a line near the
    top than on one near the bottom, and moving a chart in its image changes its score;
    :func:`placed_agreement` has no such origin. :math:`\epsilon` is a hundredth of the height of
    the *predicted* line, since the script hands the two over in the wrong order. And only y is
    compared, read off at x: lines beside each other agree where their ends are level, and a
    vertical line does not agree with itself. Where the script divides 0 by 0 there is a value here:
    the points of a vertical line weigh alike, and equal heights agree.

    Shapes:
        predicted (P, 2), truth (Q, 2).
    """
    if not len(predicted) or not len(truth):
        return float(len(predicted) == len(truth))
    epsilon = float(np.ptp(predicted[:, 1])) / 100

    def error(at: np.ndarray, line: np.ndarray) -> np.ndarray:
        miss = np.abs(at[:, 1] - np.interp(at[:, 0], line[:, 0], line[:, 1]))
        scale = np.abs(at[:, 1]) + epsilon
        return np.where(miss > 0, miss / np.where(scale > 0, scale, 1e-300), 0.0)

    return _f1(predicted, truth, error)


def placed_agreement(predicted: np.ndarray, truth: np.ndarray, scale: float) -> float:
    r"""The same F1 of two lines with errors that know no origin.

    The error of a point is its distance from the point of the other line at the same x (the nearest
    of those above each other on a vertical stroke), or, beyond the other's ends, at the nearest x,
    as a share of ``scale``:

    .. math:: e_i = \min(1, |(u_i, v_i) - (\bar u_i, P(\bar u_i))| / s)

    so that it is the same wherever the chart lies, and lines that end too early, or lie beside
    each other, do not agree.

    Args:
        predicted: points x, y.
        truth: points x, y.
        scale: s, the distance that is all wrong; :func:`chart_scale`.

    Shapes:
        predicted (P, 2), truth (Q, 2).
    """
    if not len(predicted) or not len(truth):
        return float(len(predicted) == len(truth))

    def error(at: np.ndarray, line: np.ndarray) -> np.ndarray:
        x, first = np.unique(line[:, 0], return_index=True)
        low, high = (edge.reduceat(line[:, 1], first) for edge in (np.minimum, np.maximum))
        beside = np.clip(at[:, 0], x[0], x[-1])
        below, above = (np.interp(beside, x, y) for y in (low, high))
        off = at[:, 1] - np.clip(at[:, 1], below, above)
        return np.hypot(at[:, 0] - beside, off) / scale

    return _f1(predicted, truth, error)


def chart_scale(truth: Lines) -> float:
    """The height of the box around all true lines of an image, at least a tenth of its width and
    one pixel: what errors of :func:`placed_agreement` are shares of."""
    filled = [line for line in truth if len(line)]
    if not filled:
        return 1.0
    width, height = np.ptp(np.concatenate(filled).astype(np.float64), axis=0)
    return float(max(height, width / 10, 1.0))


def agreements(
    predicted: Lines, truth: Lines, pair: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """(K, M) agreement of every true with every predicted line.

    Args:
        predicted: M lines.
        truth: K lines.
        pair: agreement of a predicted and a true line.
    """
    ours = [np.asarray(line, np.float64).reshape(-1, 2) for line in predicted]
    theirs = [np.asarray(line, np.float64).reshape(-1, 2) for line in truth]
    table = [[pair(line, reference) for line in ours] for reference in theirs]
    return np.array(table, np.float64).reshape(len(theirs), len(ours))


def score_6a(table: np.ndarray) -> float:
    """Agreement of the one-to-one matching with the largest sum, divided by the number of **true**
    lines: what is found in excess costs nothing. Without true lines 1 if none is predicted, else 0.

    Shapes:
        table (K, M), true lines by predicted ones.
    """
    return _matched(table) / len(table) if len(table) else float(table.shape[1] == 0)


def score_6b(table: np.ndarray) -> float:
    """The same divided by the larger number, of true or of predicted lines: what is found in excess
    counts as wrong. Without either 1.

    Shapes:
        table (K, M), true lines by predicted ones.
    """
    return _matched(table) / max(table.shape) if max(table.shape) else 1.0


def _matched(table: np.ndarray) -> float:
    return float(table[linear_sum_assignment(table, maximize=True)].sum())


def _f1(
    predicted: np.ndarray,
    truth: np.ndarray,
    error: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> float:
    predicted, truth = (line[np.argsort(line[:, 0], kind="stable")] for line in (predicted, truth))
    recall, precision = _share(truth, predicted, error), _share(predicted, truth, error)
    both = recall + precision
    return 2 * recall * precision / both if both > 0 else 0.0


def _share(
    at: np.ndarray, line: np.ndarray, error: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> float:
    """Mean of 1 - error of the points ``at`` against ``line``, weighed by their stretch of x."""
    half = np.diff(at[:, 0]) / 2
    weight = np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])
    if not weight.any():
        weight = np.ones(len(at))
    return float(np.average(1 - np.minimum(error(at, line), 1), weights=weight))
