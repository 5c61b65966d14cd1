"""The one-to-one matching of instances that shares most nodes, on a sparse table."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching


def best_matching(
    row: np.ndarray, column: np.ndarray, gain: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Return the cells (T,) of the one-to-one matching with the largest total gain.

    Exact, in the memory of the filled cells: every row also gets a column of its own with gain 0,
    so that a matching of all rows exists and the sparse algorithm of Jonker and Volgenant applies.

    Args:
        row: (S,) row of each filled cell.
        column: (S,) column of each filled cell; each cell once.
        gain: (S,) gain of the cell, positive.
        shape: Number of rows and columns.
    """
    rows, columns = shape
    if rows == 0 or len(row) == 0:
        return np.empty(0, np.int64)
    own = np.arange(rows)
    worst = float(gain.max()) + 1.0  # costs must not be 0, which would be an absent edge
    cost = np.concatenate([worst - gain, np.full(rows, worst)])
    graph = csr_array(
        (cost, (np.concatenate([row, own]), np.concatenate([column, columns + own]))),
        shape=(rows, columns + rows),
    )
    matched_row, matched_column = min_weight_full_bipartite_matching(graph)
    key = row * columns + column
    order = np.argsort(key)
    real = matched_column < columns
    wanted = matched_row[real].astype(np.int64) * columns + matched_column[real]
    return order[np.searchsorted(key[order], wanted)]
