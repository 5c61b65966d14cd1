from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from geoinfluencer.errors import InputError
from geoinfluencer.nn.conv_encoder import ConvEncoder
from geoinfluencer.nn.encoders import ENCODERS, build_encoder

X = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
EDGES = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])
ATTR = torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


def encoder(name: str, edge_channels: int = 2, **options: int) -> nn.Module:
    torch.manual_seed(0)
    return build_encoder(name, 3, edge_channels, 8, 2, **options).eval()


class Recorder(nn.Module):
    """A layer that keeps what it was called with."""

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None = None) -> Tensor:
        self.seen = (edge_index, edge_attr)
        return x


def test_reversed_edges_keep_their_features_and_say_that_they_are_reversed() -> None:
    net = ConvEncoder(Recorder, 3, 8, 1, reads="edge_attr")
    net(X, EDGES, ATTR)
    edge_index, edge_attr = net.convs[0].seen
    assert torch.equal(edge_index, torch.cat([EDGES, EDGES.flip(0)], dim=1))
    assert torch.equal(edge_attr[:, :-1], torch.cat([ATTR, ATTR]))
    assert edge_attr[:, -1].tolist() == [0.0] * 4 + [1.0] * 4
    net(X, EDGES, None)
    assert net.convs[0].seen[1] is None


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - {"pointwise", "hierarchy"}))
def test_every_encoder_but_pointwise_passes_messages(name: str) -> None:
    net = encoder(name)
    change = (net(X, EDGES, ATTR) - net(X, EDGES[:, 1:], ATTR[1:])).abs().sum(1)
    assert change[0] > 1e-3 and change[1] > 1e-3
    assert change[5] == 0  # a node without edges hears nothing


def test_pointwise_looks_at_no_edge() -> None:
    net = encoder("pointwise")
    assert torch.equal(net(X, EDGES, ATTR), net(X, EDGES[:, :0], ATTR[:0]))


@pytest.mark.parametrize("name", ["interaction", "influencer", "gatv2", "gine", "vector_attention"])
def test_direction_and_features_of_an_edge_matter(name: str) -> None:
    net = encoder(name)
    there = net(X, EDGES, ATTR)
    assert (there - net(X, EDGES.flip(0), ATTR)).abs().max() > 1e-3
    assert (there - net(X, EDGES, ATTR.flip(0))).abs().max() > 1e-3


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - {"gine", "hierarchy"}))
def test_graphs_without_edge_features(name: str) -> None:
    assert encoder(name, edge_channels=0)(X, EDGES, None).shape == (6, 8)


def test_learned_neighbours_replace_the_edges() -> None:
    net = encoder("influencer", neighbors=2)
    assert torch.equal(net(X, EDGES, ATTR), net(X, EDGES[:, :0], ATTR[:0]))


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(InputError, match="gatv2 needs a multiple of 4"):
        build_encoder("gatv2", 3, 2, 10, 1)
    with pytest.raises(InputError, match="gine needs edge features"):
        build_encoder("gine", 3, 0, 8, 1)
    with pytest.raises(InputError, match="'gcn'; choose one of interaction, influencer, sage"):
        build_encoder("gcn", 3, 2, 8, 1)
