"""Agreement of two partitions from their contingency table: ARI, AMI and V-measure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

_EMI_BLOCK = 2_000_000  # terms of the expected information that are in memory at once


@dataclass(frozen=True)
class Contingency:
    """Sparse table of two labellings; R rows (truth), C columns (prediction), S filled cells.

    Attributes:
        row: (S,) row index of each filled cell.
        column: (S,) column index.
        count: (S,) nodes in the cell.
        row_sum: (R,) nodes in each truth cluster.
        column_sum: (C,) nodes in each predicted cluster.
    """

    row: np.ndarray
    column: np.ndarray
    count: np.ndarray
    row_sum: np.ndarray
    column_sum: np.ndarray

    @property
    def total(self) -> int:
        """Number of nodes."""
        return int(self.count.sum())


def contingency(truth: np.ndarray, predicted: np.ndarray) -> Contingency:
    """Tabulate two labellings (N,) of the same nodes."""
    rows, row = np.unique(truth, return_inverse=True)
    columns, column = np.unique(predicted, return_inverse=True)
    key = row.reshape(-1) * max(len(columns), 1) + column.reshape(-1)
    cells, count = np.unique(key, return_counts=True)
    cell_row, cell_column = np.divmod(cells, max(len(columns), 1))
    row_sum = np.bincount(cell_row, weights=count, minlength=len(rows)).astype(np.int64)
    column_sum = np.bincount(cell_column, weights=count, minlength=len(columns)).astype(np.int64)
    return Contingency(cell_row, cell_column, count, row_sum, column_sum)


def adjusted_rand_index(table: Contingency) -> float:
    r"""Rand index corrected for chance (Hubert and Arabie, J. Classification 2, 1985).

    .. math:: \frac{\sum_{ij}\binom{n_{ij}}{2} - E}{\frac12 (A + B) - E},
              \quad E = A B / \binom{N}{2}

    with :math:`A = \sum_i \binom{a_i}{2}`, :math:`B = \sum_j \binom{b_j}{2}`. 1 for two trivial
    partitions that agree; nan without nodes.
    """
    if table.total == 0:
        return float("nan")
    both, a, b, n = (_pairs(c) for c in (table.count, table.row_sum, table.column_sum, table.total))
    if a == b == both:
        return 1.0
    expected = a * b / n
    return float((both - expected) / ((a + b) / 2 - expected))


def v_measure(table: Contingency) -> float:
    r"""Harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg, EMNLP 2007).

    .. math:: V = \frac{2 h c}{h + c}, \quad h = 1 - H(T|P)/H(T), \quad c = 1 - H(P|T)/H(P)
    """
    if table.total == 0:
        return float("nan")
    information, truth, predicted = _information(table), *_entropies(table)
    homogeneity = information / truth if truth > 0 else 1.0
    completeness = information / predicted if predicted > 0 else 1.0
    both = homogeneity + completeness
    return float(2 * homogeneity * completeness / both) if both > 0 else 0.0


def adjusted_mutual_information(table: Contingency) -> float:
    r"""Mutual information corrected for chance (Vinh, Epps and Bailey, JMLR 11, 2010).

    .. math:: \frac{I - E[I]}{\frac12 (H(T) + H(P)) - E[I]}

    The expectation depends on the cluster sizes alone and is summed over distinct sizes, so that
    tens of thousands of small clusters are cheap. 1 when both partitions are one cluster, or both
    all singletons; nan without nodes.
    """
    if table.total == 0:
        return float("nan")
    rows, columns = len(table.row_sum), len(table.column_sum)
    if rows == columns == len(table.count) and (rows == 1 or rows == table.total):
        return 1.0
    expected = _expected_information(table)
    normalizer = sum(_entropies(table)) / 2 - expected
    tiny = np.finfo(np.float64).eps
    normalizer = min(normalizer, -tiny) if normalizer < 0 else max(normalizer, tiny)
    return float((_information(table) - expected) / normalizer)


def _pairs(count: np.ndarray | int) -> int:
    value = np.asarray(count, dtype=np.int64)
    return int((value * (value - 1) // 2).sum())


def _entropies(table: Contingency) -> tuple[float, float]:
    shares = (table.row_sum / table.total, table.column_sum / table.total)
    truth, predicted = (float(-(p * np.log(p)).sum()) for p in shares)
    return truth, predicted


def _information(table: Contingency) -> float:
    n = table.total
    outer = np.log(table.row_sum[table.row]) + np.log(table.column_sum[table.column])
    terms = table.count / n * (np.log(table.count) + np.log(n) - outer)
    return max(float(terms.sum()), 0.0)


def _expected_information(table: Contingency) -> float:
    """E[I] under random labellings with the same cluster sizes (hypergeometric cells)."""
    n = table.total
    sizes_a, times_a = np.unique(table.row_sum, return_counts=True)
    sizes_b, times_b = np.unique(table.column_sum, return_counts=True)
    a, b = (grid.ravel() for grid in np.meshgrid(sizes_a, sizes_b, indexing="ij"))
    times = np.outer(times_a, times_b).ravel()
    low, high = np.maximum(1, a + b - n), np.minimum(a, b)
    number = high - low + 1
    total = 0.0
    edges = np.searchsorted(
        np.cumsum(number), np.arange(0, number.sum() + _EMI_BLOCK, _EMI_BLOCK), side="left"
    )
    edges = np.unique(np.concatenate([[0], edges, [len(number)]]))
    for start, stop in itertools.pairwise(edges.tolist()):
        pick = np.repeat(np.arange(start, stop), number[start:stop])
        offset = np.arange(len(pick)) - np.repeat(
            np.cumsum(number[start:stop]) - number[start:stop], number[start:stop]
        )
        nij = low[pick] + offset
        x, y = a[pick], b[pick]
        log_probability = (
            _log_choose(x, nij) + _log_choose(n - x, y - nij) - _log_choose(np.full_like(x, n), y)
        )
        gain = nij / n * (np.log(nij) + np.log(n) - np.log(x) - np.log(y))
        total += float((times[pick] * gain * np.exp(log_probability)).sum())
    return total


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
