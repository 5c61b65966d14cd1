"""Greedy graph segments against the twin, by hand, and what every segmentation must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native


def random_graph(rng, trial):
    nodes = int(torch.randint(1, 300, (1,), generator=rng))
    edges = int(torch.randint(0, 6 * nodes, (1,), generator=rng))
    edge_index = torch.randint(0, nodes, (2, edges), generator=rng)
    weight = torch.rand(edges, generator=rng)
    if trial % 3 == 0:  # ties
        weight = (weight * 4).round()
    return edge_index, weight, nodes


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("trial", range(40))
def test_equals_the_twin(rng, trial):
    rng.manual_seed(trial)
    edge_index, weight, nodes = random_graph(rng, trial)
    options = {"scale": [0.0, 0.3, 2.0, 1e6][trial % 4], "min_size": [0, 1, 5, 10**9][trial % 4]}
    label = ops.felzenszwalb(edge_index, weight, nodes, **options)
    with native.forced_off():
        assert torch.equal(label, ops.felzenszwalb(edge_index, weight, nodes, **options))


@pytest.mark.usefixtures("backend")
def test_by_hand():
    # a chain: two alike pairs, 0.1 inside, 1 between them
    edge_index = torch.tensor([[0, 1, 2], [1, 2, 3]])
    weight = torch.tensor([0.1, 1.0, 0.1])

    def labels(**options):
        return ops.felzenszwalb(edge_index, weight, 4, **options).tolist()

    assert labels(scale=0.05) == [0, 1, 2, 3]
    assert labels(scale=0.5) == [0, 0, 1, 1]  # 1 > 0.1 + 0.5 / 2
    assert labels(scale=1.79) == [0, 0, 1, 1]  # 0.1 + 1.79 / 2 < 1
    assert labels(scale=1.81) == [0, 0, 0, 0]
    assert labels(scale=0.5, min_size=3) == [0, 0, 0, 0]
    assert ops.felzenszwalb(edge_index[:, :1], weight[:1], 4, scale=1.0, min_size=9).tolist() == [
        0, 0, 1, 2,
    ]  # fmt: skip


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("min_size", [1, 7])
def test_segments_are_connected_numbered_and_large_enough(rng, min_size):
    edge_index, weight, nodes = random_graph(rng, 1)
    label = ops.felzenszwalb(edge_index, weight, nodes, scale=0.4, min_size=min_size).numpy()
    count = label.max() + 1
    first = np.unique(label, return_index=True)[1]
    assert (np.diff(first) > 0).all() and len(first) == count
    inside = label[edge_index[0]] == label[edge_index[1]]
    start, end = edge_index[:, torch.from_numpy(inside)].numpy()
    linked = coo_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes))
    assert connected_components(linked, directed=False)[0] == count
    everywhere = coo_array((np.ones(edge_index.shape[1]), edge_index.numpy()), (nodes, nodes))
    part = connected_components(everywhere, directed=False)[1]
    room = np.bincount(part)[part[first]]  # nodes that a segment could have
    assert (np.bincount(label) >= np.minimum(min_size, room)).all()


@pytest.mark.usefixtures("backend")
def test_graphs_of_a_batch_are_segmented_apart(rng):
    graphs = [random_graph(rng, trial) for trial in (1, 2)]
    (first, w1, n1), (second, w2, n2) = graphs
    together = ops.felzenszwalb(
        torch.cat([first, second + n1], 1), torch.cat([w1, w2]), n1 + n2, scale=0.5, min_size=3
    )
    alone = ops.felzenszwalb(second, w2, n2, scale=0.5, min_size=3)
    assert torch.equal(together[n1:] - together[n1:].min(), alone)


@pytest.mark.usefixtures("needs_native")
def test_threads_change_nothing(rng):
    edge_index = torch.randint(0, 50_000, (2, 300_000), generator=rng)
    weight = (torch.rand(300_000, generator=rng) * 50).round()
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(ops.felzenszwalb(edge_index, weight, 50_000, scale=9.0))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


@pytest.mark.usefixtures("backend")
def test_nothing_to_segment():
    none = torch.zeros(2, 0, dtype=torch.int64)
    assert ops.felzenszwalb(none, torch.zeros(0), 3, scale=1.0, min_size=2).tolist() == [0, 1, 2]
    assert ops.felzenszwalb(none, torch.zeros(0), 0, scale=1.0).shape == (0,)
    loop = torch.zeros(2, 1, dtype=torch.int64)
    assert ops.felzenszwalb(loop, torch.zeros(1), 1, scale=0.0).tolist() == [0]


EDGES, W = torch.tensor([[0, 1], [1, 2]]), torch.ones(2)
BAD = {
    "shape": (lambda: ops.felzenszwalb(EDGES[0], W, 3, scale=1), r"edge_index is \(2,\)"),
    "dtype": (lambda: ops.felzenszwalb(EDGES.int(), W, 3, scale=1), "expected .2, E. int64"),
    "weight": (lambda: ops.felzenszwalb(EDGES, W[:1], 3, scale=1), r"weight is \(1,\)"),
    "range": (lambda: ops.felzenszwalb(EDGES, W, 2, scale=1), "entries from 0 to 2; .* = 1"),
    "below": (lambda: ops.felzenszwalb(EDGES - 1, W, 3, scale=1), "entries from -1 to 1"),
    "nan": (lambda: ops.felzenszwalb(EDGES, W * torch.nan, 3, scale=1), "negative, NaN"),
    "negative": (lambda: ops.felzenszwalb(EDGES, -W, 3, scale=1), "negative, NaN"),
    "scale": (lambda: ops.felzenszwalb(EDGES, W, 3, scale=-1), "scale must be finite"),
    "min_size": (lambda: ops.felzenszwalb(EDGES, W, 3, scale=1, min_size=-1), "min_size must not"),
    "nodes": (lambda: ops.felzenszwalb(EDGES, W, 2**31, scale=1), "fewer than 2"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_arguments(case):
    call, message = BAD[case]
    with pytest.raises(InputError, match=message):
        call()
