"""Where queries come from: learned vectors, or nodes that have influence."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError


@torch.no_grad()
def select_influencers(
    influence: Tensor,
    follower: Tensor,
    ptr: Tensor,
    *,
    radius: float,
    min_influence: float = 0.3,
    min_queries: int = 1,
    max_queries: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Nodes to make queries from: where influence gathers, one for each place.

    The nodes of a graph are visited by descending influence. One is taken if no taken one's
    follower embedding lies within ``radius`` of its own; every other node then belongs to the
    taken one with the nearest follower. A taken node becomes a query if the influence of those
    that belong to it sums to at least ``min_influence``, which counts the influencers to be
    expected there: where it is open which of n nodes will stand for an instance each has 1/n,
    and an instance of thousands has as much as one of ten. So the number of queries follows the
    scene. Places are told apart by followers since those of an instance gather while its
    influencers keep apart: on toy events of 20 tracks, in the middle of training, 23 to 42
    queries hold 94 to 99 % of the tracks, where suppression among influencers leaves 60.

    Args:
        influence: logits of the influence.
        follower: embeddings in which near nodes are duplicates.
        ptr: (B+1,) first node of each graph, and N.
        radius: in units of the embedding.
        min_influence: least sum of probabilities that makes a query.
        min_queries: of each graph, as far as it has so many places.
        max_queries: of each graph, those with the most; None: no cap.

    Shapes:
        influence (N,), follower (N, D), ptr (B+1,) -> nodes (Q,) ascending, their ptr (B+1,).

    Raises:
        InputError: settings out of range, or values that are not finite.
    """
    check_selection(radius, min_influence, min_queries, max_queries)
    if not bool(torch.isfinite(follower).all() & torch.isfinite(influence).all()):
        raise InputError("influence or follower holds NaN or infinity; queries cannot be chosen")
    influence, embedding = influence.float(), follower.float()
    nodes = ops.suppress(embedding, influence, radius, ptr=ptr).nonzero()[:, 0]
    taken_ptr = _sub_ptr(nodes, ptr)
    home, _ = ops.knn(embedding[nodes], embedding, 1, ptr=taken_ptr, query_ptr=ptr)
    gathered = ops.segment_sum(influence.sigmoid(), home[:, 0], nodes.shape[0])
    place = _rank(gathered, taken_ptr)
    chosen = (gathered >= min_influence) | (place < min_queries)
    if max_queries is not None:
        chosen &= place < max_queries
    nodes = nodes[chosen]
    return nodes, _sub_ptr(nodes, ptr)


def check_selection(
    radius: float, min_influence: float, min_queries: int, max_queries: int | None
) -> None:
    """Raises InputError for settings of :func:`select_influencers` that cannot be."""
    if not 0.0 <= radius < math.inf:
        raise InputError(f"radius is {radius}; it must be finite and not negative")
    if not 0.0 <= min_influence < math.inf:
        raise InputError(f"min_influence is {min_influence}; it must be finite and not negative")
    if min_queries < 0 or (max_queries is not None and max_queries < max(1, min_queries)):
        raise InputError(
            f"min_queries is {min_queries} and max_queries {max_queries}; expected 0 <= "
            "min_queries <= max_queries and max_queries >= 1, or None"
        )


@torch.no_grad()
def cover_instances(
    nodes: Tensor,
    influence: Tensor,
    instance: Tensor,
    ptr: Tensor,
    *,
    ignore: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """For training: the chosen nodes, and the most influential one of every instance without any.

    A loss that finds a query for every instance has none to find where the selection, which is
    still learning, chose none of its nodes, and would teach another's query to claim them.

    Args:
        nodes: ascending, of :func:`select_influencers`.
        influence: logits.
        instance: id of each node, negative = background; unique within a graph only.
        ptr: (B+1,) first node of each graph, and N.
        ignore: true = needs no query.

    Shapes:
        nodes (Q,), influence, instance, ignore (N,) -> nodes (Q',) ascending, their ptr (B+1,).
    """
    count = instance.shape[0]
    real = (instance >= 0) if ignore is None else (instance >= 0) & ~ignore
    graph = ops.batch_from_ptr(ptr, count)
    width = int(instance.max()) + 1 if count else 0
    key = torch.where(real, graph * max(width, 1) + instance, -1)
    present, row = torch.unique(key, return_inverse=True)
    covered = torch.zeros(present.shape[0], dtype=torch.bool, device=key.device)
    covered[row[nodes]] = True
    lacking = ~(covered | (present < 0))[row]  # (N,)
    score = influence.float().masked_fill(~lacking, -torch.inf)
    best = ops.segment_max(score, row, present.shape[0])
    candidate = (lacking & (score == best[row])).nonzero()[:, 0]
    first = torch.full_like(present, count)
    first = first.scatter_reduce(0, row[candidate], candidate, "amin")
    nodes = torch.cat([nodes, first[first < count]]).sort().values
    return nodes, _sub_ptr(nodes, ptr)


def _rank(score: Tensor, ptr: Tensor) -> Tensor:
    """(Q,) how many rows of its graph come before each by descending score, ties by index."""
    graph = ops.batch_from_ptr(ptr, score.shape[0])
    order = torch.argsort(score, descending=True, stable=True)
    order = order[torch.argsort(graph[order], stable=True)]
    place = torch.arange(score.shape[0], device=score.device) - ptr[graph]
    return torch.empty_like(place).scatter_(0, order, place)


def _sub_ptr(nodes: Tensor, ptr: Tensor) -> Tensor:
    """ptr (B+1,) of the ascending node subset ``nodes``."""
    return torch.searchsorted(nodes, ptr)


class LearnedQueries(nn.Module):
    """M learned query states, the same for every graph (`DETR, Carion et al., ECCV 2020
    <https://arxiv.org/abs/2005.12872>`_).

    Args:
        count (int): M, an upper limit to the instances that can be found in a graph.
        channels (int): size H of the states.

    Shapes:
        - **output:** states (B M, H), ``query_ptr`` (B+1,)
    """

    def __init__(self, count: int, channels: int) -> None:
        super().__init__()
        if count < 1:
            raise InputError(f"the number of learned queries is {count}; it must be at least 1")
        self.state = nn.Parameter(torch.randn(count, channels))

    def forward(self, num_graphs: int) -> tuple[Tensor, Tensor]:
        count = self.state.shape[0]
        ptr = torch.arange(num_graphs + 1, device=self.state.device) * count
        return self.state.repeat(num_graphs, 1), ptr

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.state.shape[0]}, {self.state.shape[1]})"
