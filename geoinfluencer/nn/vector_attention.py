"""Attention along edges with a weight for every channel: the layer of Point Transformer."""

from __future__ import annotations

from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.nn.mlp import mlp


class VectorAttentionConv(nn.Module):
    r"""Vector attention of `Point Transformer (Zhao et al., ICCV 2021)
    <https://arxiv.org/abs/2012.09164>`_ over given edges.

    .. math::
        \mathbf{x}'_i = \sum_{j \in \mathcal{N}(i)} \rho\left( \gamma\left(
            \varphi(\mathbf{x}_i) - \psi(\mathbf{x}_j) + \delta_{ji} \right) \right) \odot
            \left( \alpha(\mathbf{x}_j) + \delta_{ji} \right)

    with linear :math:`\varphi, \psi, \alpha`, a perceptron :math:`\gamma`, and :math:`\rho` the
    softmax over the neighbours of i, of each channel apart. Where the paper has
    :math:`\delta = \theta(p_i - p_j)`, this is a perceptron of the edge features, of which the
    offset of the two points is a part.

    Args:
        channels (int): size C of the node states.
        edge_dim (int, optional): size A of the edge features; ``None``: :math:`\delta = 0`.

    Shapes:
        - **input:** x (N, C), ``edge_index`` (2, E) from j to i, ``edge_attr`` (E, A)
        - **output:** (N, C); 0 for a node that no edge leads to

    Raises:
        InputError: edge features that do not fit.
    """

    def __init__(self, channels: int, edge_dim: int | None = None) -> None:
        super().__init__()
        self.channels, self.edge_dim = channels, edge_dim
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels)
        self.relation = mlp([channels, channels, channels])
        self.position = None if edge_dim is None else mlp([edge_dim, channels, channels])

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.LayerNorm)):
                module.reset_parameters()

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None = None) -> Tensor:
        found = None if edge_attr is None else edge_attr.shape[1]
        if found != self.edge_dim:
            raise InputError(
                f"edge_attr has {found} features; the layer was made for edge_dim={self.edge_dim}"
            )
        source, target = edge_index[0], edge_index[1]
        relation = ops.segment_gather(self.query(x), target)
        relation = relation - ops.segment_gather(self.key(x), source)
        value = ops.segment_gather(self.value(x), source)
        if self.position is not None:
            delta = self.position(edge_attr)
            relation, value = relation + delta, value + delta
        weight = ops.segment_softmax(self.relation(relation), target, x.shape[0])
        out: Tensor = ops.segment_sum(weight * value, target, x.shape[0])
        return out

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channels}, edge_dim={self.edge_dim})"
