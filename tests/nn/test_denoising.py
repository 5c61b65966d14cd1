from __future__ import annotations

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.nn.denoising import DenoisingQueries, flip_labels, instance_columns

INSTANCE = torch.tensor([7, -1, 2, 7, 2, 7, -1, 9])
PTR = torch.tensor([0, 3, 3, 8])


def test_instances_are_numbered_within_their_graph() -> None:
    column, instance_ptr = instance_columns(INSTANCE, PTR)
    assert column.tolist() == [1, -1, 0, 1, 0, 1, -1, 2]
    assert instance_ptr.tolist() == [0, 2, 2, 5]
    nothing, empty = instance_columns(torch.full((8,), -1), PTR)
    assert (nothing == -1).all() and empty.tolist() == [0, 0, 0, 0]


def test_flipped_labels_come_from_the_same_graph_as_often_as_asked() -> None:
    size = 4000
    labels = torch.cat([torch.full((size,), 3), torch.arange(size) % 2 + 10])
    ptr = torch.tensor([0, size, size, 2 * size])
    flipped = flip_labels(labels, ptr, 0.4)
    assert (flipped[:size] == 3).all()
    assert set(flipped[size:].tolist()) == {10, 11}
    # half of the labels drawn are the node's own
    assert (flipped != labels)[size:].float().mean() == pytest.approx(0.2, abs=0.03)
    assert torch.equal(flip_labels(labels, ptr, 0.0), labels)


def test_without_noise_a_query_is_the_mean_of_its_nodes() -> None:
    queries = DenoisingQueries(4, 6, flip=0.0)
    state = torch.randn(8, 4)
    column, instance_ptr = instance_columns(INSTANCE, PTR)
    made = queries(state, column, instance_ptr, PTR)
    means = [state[[2]], state[[0]], state[[4]], state[[3, 5]], state[[7]]]
    expected = queries.content(torch.stack([part.mean(0) for part in means]))
    torch.testing.assert_close(made, expected)
    assert repr(queries) == "DenoisingQueries(4, 6, flip=0.0)"


def test_with_noise_every_instance_keeps_a_finite_query_and_gradients_flow() -> None:
    queries = DenoisingQueries(4, 6, flip=1.0)
    state = torch.randn(8, 4, requires_grad=True)
    column, instance_ptr = instance_columns(INSTANCE, PTR)
    for seed in range(20):  # most draws leave some instance without a node
        generator = torch.Generator().manual_seed(seed)
        made = queries(state, column, instance_ptr, PTR, generator)
        assert made.shape == (5, 6) and torch.isfinite(made).all()
    made.square().sum().backward()
    assert state.grad is not None and state.grad.any() and queries.content.weight.grad.any()


def test_flip_must_be_a_probability() -> None:
    with pytest.raises(InputError, match="flip is 1.5"):
        DenoisingQueries(4, 6, flip=1.5)
