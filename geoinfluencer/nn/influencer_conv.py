"""Message passing in which nodes send as influencers and receive as followers."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing
from torch_geometric.nn.dense.linear import Linear
from torch_geometric.nn.inits import zeros
from torch_geometric.utils import softmax

from geoinfluencer import ops
from geoinfluencer.errors import InputError

Potential = Literal["cauchy", "gaussian"]


class InfluencerConv(MessagePassing):
    r"""A convolution with the two roles of the `Influencer Loss
    <https://doi.org/10.1051/epjconf/202429509016>`_: node j sends as an influencer, node i
    receives as a follower, and messages weigh what the potential of their distance says.

    .. math::
        \mathbf{x}'_i = \mathbf{W}_r \mathbf{x}_i + \mathbf{b} + \sum_{j \in \mathcal{N}(i)}
            \alpha_{ij} \left( \mathbf{W}_v \mathbf{x}_j + \mathbf{W}_e \mathbf{e}_{ji} \right)
        \qquad
        \alpha_{ij} = \frac{\phi(|\mathbf{f}_i - \mathbf{h}_j|)}
            {\sum_{j' \in \mathcal{N}(i)} \phi(|\mathbf{f}_i - \mathbf{h}_{j'}|)}

    with :math:`\mathbf{f} = \mathbf{W}_f \mathbf{x}`, :math:`\mathbf{h} = \mathbf{W}_h \mathbf{x}`
    and :math:`\phi(d) = 1 / (1 + d^2 / r^2)` ("cauchy") or :math:`e^{-d^2 / r^2}` ("gaussian").
    The hinge potential of the loss is 0, with gradient 0, beyond its radius, where an untrained
    layer's nodes are; the logarithm of "cauchy" has the slope :math:`-2 d / (r^2 + d^2)`, which
    fades only as 1/d, and normalised weights depend on ratios of it alone: both projections learn
    from any distance. "gaussian" is the sharper choice, a softmax over :math:`-d^2 / r^2`, and
    may saturate. With ``normalize=False`` :math:`\alpha = \phi`, which can say that nobody near
    is an influencer, and also learns from a single neighbour.

    Without ``edge_index`` the neighbours of i are the ``k`` nearest influencers of its graph in
    the learned space, i itself possible.

    Args:
        in_channels (int or tuple): Size of each input sample, or :obj:`-1` to derive it from the
            first input; a tuple for the source and target dimensionalities.
        out_channels (int): Size of each output sample.
        embedding_dim (int, optional): Size D of f and h. (default: :obj:`8`)
        radius (float, optional): r, in units of the embedding. (default: :obj:`1.0`)
        k (int, optional): Neighbours where no ``edge_index`` is given. (default: :obj:`None`)
        potential (str, optional): ``"cauchy"`` or ``"gaussian"``. (default: ``"cauchy"``)
        normalize (bool, optional): Whether the weights of a node's messages sum to 1.
            (default: :obj:`True`)
        edge_dim (int, optional): Size of edge attributes, if there are any.
            (default: :obj:`None`)
        root_weight (bool, optional): Whether to add :math:`\mathbf{W}_r \mathbf{x}_i`.
            (default: :obj:`True`)
        bias (bool, optional): Whether to add :math:`\mathbf{b}`. (default: :obj:`True`)
        aggr (str, optional): How messages are combined. (default: ``"sum"``)
        **kwargs (optional): Additional arguments of
            :class:`torch_geometric.nn.conv.MessagePassing`.

    Shapes:
        - **input:**
          node features :math:`(N, F_{in})` or :math:`((N_s, F_s), (N_t, F_t))` if bipartite,
          edge indices :math:`(2, E)` *(optional)*,
          edge attributes :math:`(E, A)` *(optional)*,
          batch vector :math:`(N)` or :math:`((N_s), (N_t))` if bipartite, for kNN *(optional)*
        - **output:** node features :math:`(N, F_{out})` or :math:`(N_t, F_{out})` if bipartite;
          with ``return_embeddings=True`` also :math:`(\mathbf{f}, \mathbf{h})`, of
          :math:`(N_t, D)` and :math:`(N_s, D)`

    Raises:
        InputError: neither ``edge_index`` nor ``k``, or edge attributes that do not fit.
    """

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        *,
        embedding_dim: int = 8,
        radius: float = 1.0,
        k: int | None = None,
        potential: Potential = "cauchy",
        normalize: bool = True,
        edge_dim: int | None = None,
        root_weight: bool = True,
        bias: bool = True,
        aggr: str = "sum",
        **kwargs: Any,
    ) -> None:
        super().__init__(aggr=aggr, node_dim=0, **kwargs)
        if potential not in ("cauchy", "gaussian"):
            raise InputError(f"potential {potential!r} is neither 'cauchy' nor 'gaussian'")
        if not radius > 0:
            raise InputError(f"radius is {radius}; it must be positive")
        if k is not None and k < 1:
            raise InputError(f"k is {k}; it must be at least 1, or None")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.embedding_dim = embedding_dim
        self.radius = radius
        self.k = k
        self.potential = potential
        self.normalize = normalize
        self.edge_dim = edge_dim

        source, target = (in_channels, in_channels) if isinstance(in_channels, int) else in_channels
        self.lin_follower = Linear(target, embedding_dim, bias=False)
        # its bias is the one offset between f and h that distances can see
        self.lin_influencer = Linear(source, embedding_dim, bias=True)
        self.lin_value = Linear(source, out_channels, bias=False)
        self.lin_edge = None if edge_dim is None else Linear(edge_dim, out_channels, bias=False)
        self.lin_root = Linear(target, out_channels, bias=False) if root_weight else None
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        for lin in (self.lin_follower, self.lin_influencer, self.lin_value):
            lin.reset_parameters()
        if self.lin_edge is not None:
            self.lin_edge.reset_parameters()
        if self.lin_root is not None:
            self.lin_root.reset_parameters()
        zeros(self.bias)

    def forward(
        self,
        x: Tensor | tuple[Tensor, Tensor],
        edge_index: Tensor | None = None,
        edge_attr: Tensor | None = None,
        batch: Tensor | tuple[Tensor, Tensor] | None = None,
        return_embeddings: bool = False,
    ) -> Tensor | tuple[Tensor, tuple[Tensor, Tensor]]:
        """One step of messages; shapes as the class says."""
        source, target = (x, x) if isinstance(x, Tensor) else x
        follower = self.lin_follower(target)
        influencer = self.lin_influencer(source)
        if (edge_attr is None) != (self.lin_edge is None):
            raise InputError(
                f"edge_attr {'is missing' if edge_attr is None else 'was given'} "
                f"but the layer has edge_dim={self.edge_dim}"
            )
        if edge_index is None:
            if edge_attr is not None:
                raise InputError("edge_attr needs the edge_index that it belongs to")
            edge_index = self._nearest_influencers(follower, influencer, batch)

        out = self.propagate(
            edge_index,
            follower=(None, follower),
            influencer=(influencer, None),
            value=(self.lin_value(source), None),
            edge_attr=edge_attr,
            size=(source.shape[0], target.shape[0]),
        )
        if self.lin_root is not None:
            out = out + self.lin_root(target)
        if self.bias is not None:
            out = out + self.bias
        return (out, (follower, influencer)) if return_embeddings else out

    def message(
        self,
        follower_i: Tensor,
        influencer_j: Tensor,
        value_j: Tensor,
        edge_attr: Tensor | None,
        index: Tensor,
        ptr: Tensor | None,
        size_i: int | None,
    ) -> Tensor:
        square = (follower_i - influencer_j).square().sum(-1) / self.radius**2  # (E,)
        log_potential = -square if self.potential == "gaussian" else -torch.log1p(square)
        if self.normalize:
            alpha = softmax(log_potential, index, ptr, size_i)
        else:
            alpha = log_potential.exp()
        if self.lin_edge is not None:
            value_j = value_j + self.lin_edge(edge_attr)
        return alpha[:, None] * value_j

    def _nearest_influencers(
        self,
        follower: Tensor,
        influencer: Tensor,
        batch: Tensor | tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        """Edges (2, E) from the k nearest influencers to each follower."""
        if self.k is None:
            raise InputError("no edge_index was given; pass one, or set k of the layer")
        ptr = query_ptr = None
        if batch is not None:
            source, target = (batch, batch) if isinstance(batch, Tensor) else batch
            lasts = [int(ids[-1]) + 1 for ids in (source, target) if ids.numel()]
            graphs = max(lasts, default=0)
            ptr = ops.ptr_from_batch(source, graphs)
            query_ptr = ops.ptr_from_batch(target, graphs)
        nearest, _ = ops.knn(
            influencer.detach(), follower.detach(), k=self.k, ptr=ptr, query_ptr=query_ptr
        )
        receiver, place = (nearest >= 0).nonzero(as_tuple=True)
        sender = nearest[receiver, place]
        ends = (sender, receiver) if self.flow == "source_to_target" else (receiver, sender)
        return torch.stack(ends)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, {self.out_channels}, "
            f"embedding_dim={self.embedding_dim}, k={self.k})"
        )
