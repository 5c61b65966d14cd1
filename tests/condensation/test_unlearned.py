from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geoinfluencer.condensation.unlearned import as_instances, components, density_clusters
from geoinfluencer.errors import InputError


@pytest.mark.parametrize("seed", range(5))
def test_components_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges, difference = rng.integers(0, 60, (2, 90)), rng.random(90)
    found = components(torch.from_numpy(edges), torch.from_numpy(difference), 60, 0.5)
    kept = edges[:, difference <= 0.5]
    graph = coo_matrix((np.ones(kept.shape[1]), kept), (60, 60))
    count, expected = connected_components(graph, directed=False)
    pairs = set(zip(found.tolist(), expected.tolist(), strict=True))
    assert len(pairs) == count == int(found.max()) + 1


@pytest.mark.parametrize(("method", "value"), [("dbscan", 0.5), ("hdbscan", 10)])
def test_density_clusters_are_the_blobs(method: str, value: float) -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn, the extra [baselines]")
    rng = torch.Generator().manual_seed(0)
    blobs = torch.cat([torch.randn(40, 3, generator=rng) / 10 + 5 * k for k in range(3)])
    far = torch.tensor([[50.0, 50.0, 50.0]])
    found = density_clusters(torch.cat([blobs, far]), method, value)
    assert found[-1] == -1
    for k in range(3):
        part = found[40 * k : 40 * k + 40]
        assert int(part.mode().values) not in (-1, *found[: 40 * k].tolist())
        assert int((part == part.mode().values).sum()) >= 36


def test_another_method_is_named() -> None:
    with pytest.raises(InputError, match="method 'kmeans' is neither"):
        density_clusters(torch.zeros(3, 2), "kmeans", 1.0)


def test_instances_are_numbered_by_their_first_node() -> None:
    label = torch.tensor([-1, 7, 2, 7, 2, 2, 5, -1])
    mass = torch.tensor([9.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 9.0])
    found = as_instances(label, mass, min_size=2)
    assert found.instance.tolist() == [-1, 0, 1, 0, 1, 1, -1, -1]
    assert found.influencer.tolist() == [1, 2] and found.size.tolist() == [2, 3]
    assert found.score.tolist() == [0.5, 1.0]
    assert [found.members(k).tolist() for k in range(2)] == [[1, 3], [2, 4, 5]]


def test_nothing_but_noise() -> None:
    found = as_instances(torch.full((4,), -1))
    assert len(found) == 0 and found.instance.tolist() == [-1] * 4
