"""Query logits that are known before the decoder has looked at anything."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Prior(NamedTuple):
    """Logits known beforehand, as products: a node's row times a query's."""

    node: Tensor  # (N, P)
    query: Tensor  # (Q, P)


def nearness(follower: Tensor, influencer: Tensor, radius: float, strength: Tensor) -> Prior:
    r"""Queries begin with the followers of the node that they were made from.

    .. math:: x_{im} = \beta \, (1 - |f_i - h_m|^2 / r^2)

    Args:
        follower: f of the nodes.
        influencer: h of the queries' nodes.
        radius: r, in units of the embedding.
        strength: beta.

    Shapes:
        follower (N, D), influencer (Q, D), strength () -> (N, D + 2), (Q, D + 2).
    """
    ones = torch.ones_like(follower[:, :1])
    node = torch.cat([follower, follower.square().sum(1, keepdim=True), ones], 1)
    square = influencer.square().sum(1, keepdim=True)
    query = torch.cat([2 * influencer, -torch.ones_like(square), radius**2 - square], 1)
    return Prior(node, query * strength / radius**2)
