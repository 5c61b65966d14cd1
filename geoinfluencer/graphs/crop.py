"""A part of a built graph."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data


def crop_nodes(data: Data, keep: Tensor) -> Data:
    """The subgraph of the nodes where ``keep`` (N,) is True; every per-node field is cut alike.

    Instances that are left are numbered 0..K-1 again, in their old order.
    """
    part = data.subgraph(keep)
    if part.get("instance") is not None:
        part.instance = consecutive(part.instance)
    return part


def consecutive(instance: Tensor) -> Tensor:
    """Number (N,) instances 0..K-1 again after nodes were taken away; -1 stays."""
    ids, number = torch.unique(instance, return_inverse=True)
    return number - int(len(ids) > 0 and int(ids[0]) == -1)
