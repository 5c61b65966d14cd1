"""Which query every node joins, and how far the mask of a query agrees with its nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from geoinfluencer import ops
from geoinfluencer.condensation.logit_pieces import Activation, logit_pieces


@dataclass
class Claims:
    """Attributes:

    joined: query of each node (N,), -1: none.
    probability: of the query joined (N,).
    positive: nodes (Q,) with a logit above 0.
    mass: expected nodes (Q,) of the masks: probabilities summed over all nodes.
    """

    joined: Tensor
    probability: Tensor
    positive: Tensor
    mass: Tensor

    def sizes(self) -> tuple[Tensor, Tensor]:
        """Nodes (Q,) that joined each query, and the sum (Q,) of their probabilities."""
        queries = self.positive.shape[0]
        member = (self.joined >= 0).nonzero()[:, 0]
        owner = self.joined[member]
        total = ops.segment_sum(self.probability[member].double(), owner, queries)
        return torch.bincount(owner, minlength=queries), total

    def agreement(self) -> Tensor:
        r"""Expected intersection over expected union of every query's mask and its nodes (Q,).

        .. math:: a_m = \frac{\sum_{i \to m} p_{im}}{|\{i \to m\}| + \sum_{i \not\to m} p_{im}}
        """
        size, inside = self.sizes()
        union = size + self.mass - inside
        return torch.where(size > 0, inside / union.clamp(min=1e-6), 0)


def claim_nodes(
    logits: Tensor | Iterable[Tensor],
    query_ptr: Tensor,
    ptr: Tensor,
    *,
    activation: Activation,
    quality: Tensor,
    able: Tensor,
    with_mass: bool = True,
) -> Claims:
    """Lets every node join the query that wants it most, or none.

    Args:
        logits: one tensor, or blocks of rows in order.
        query_ptr, ptr: first query and first node of each graph, and Q and N.
        activation: "softmax": the largest logit; "sigmoid": the largest probability times quality.
        quality: of the queries.
        able: which queries take part.
        with_mass: whether agreements are asked for; else ``mass`` is 0, and time is saved.

    Shapes:
        logits (N, M), query_ptr, ptr (B+1,), quality, able (Q,).
    """
    device, queries, nodes = query_ptr.device, quality.shape[0], int(ptr[-1])
    joined = torch.full((nodes,), -1, dtype=torch.int64, device=device)
    probability = torch.zeros(nodes, device=device)
    positive = torch.zeros(queries, dtype=torch.int64, device=device)
    mass = torch.zeros(queries, dtype=torch.float64, device=device)
    bounds = query_ptr.tolist()
    for graph, low, high, x in logit_pieces(logits, query_ptr, ptr):
        first, last = bounds[graph], bounds[graph + 1]
        if first == last:
            continue
        x = x.masked_fill(~able[first:last], -torch.inf)
        if activation == "softmax":
            top, column = x.max(1)
            everyone = torch.logaddexp(x.logsumexp(1), x.new_zeros(()))
            near = torch.exp(top - everyone)
        else:
            column = (quality[first:last].log() + logsigmoid(x)).argmax(1)
            top = x.gather(1, column[:, None])[:, 0]
            near = top.sigmoid()
        joined[low:high] = torch.where(top > 0, first + column, -1)
        probability[low:high] = near.to(probability.dtype)
        positive[first:last] += (x > 0).sum(0)
        if with_mass:
            softmax = activation == "softmax"
            masks = torch.exp(x - everyone[:, None]) if softmax else x.sigmoid()
            mass[first:last] += masks.sum(0, dtype=mass.dtype)
    return Claims(joined, probability, positive, mass)
