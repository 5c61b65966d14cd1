"""InfluencerLoss in a PyTorch Geometric model of your own.

Everything but the four marked lines is ordinary PyG. The data are generated: each graph holds arcs
of points, each arc one instance, linked to the nearest neighbours. Run it with

    python examples/loss_in_your_own_model.py
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data
from torch_geometric.nn import SAGEConv

from geoinfluencer import InfluencerLoss, Instances, condense, ops


class Segmenter(nn.Module):
    """A user's model: any encoder will do; the loss asks for two embeddings per node."""

    def __init__(self, hidden: int = 64, dim: int = 4) -> None:
        super().__init__()
        self.first = SAGEConv(3, hidden)
        self.second = SAGEConv(hidden, hidden)
        self.follower = nn.Linear(hidden, dim)
        self.influencer = nn.Linear(hidden, dim)

    def forward(self, data: Data) -> tuple[Tensor, Tensor]:
        h = self.first(data.x, data.edge_index).relu()
        h = h + self.second(h, data.edge_index).relu()
        return self.follower(h), self.influencer(h)  # (N, D) each


def arcs(num_arcs: int, points: int = 20) -> Data:
    """One graph of `num_arcs` arcs at random places on a ring; `instance` says which is whose."""
    turn = (torch.randperm(12)[:num_arcs, None] + 0.3 * torch.rand(num_arcs, points)) * math.pi / 6
    radius = 1 + 0.3 * torch.rand(num_arcs, 1).expand_as(turn)
    pos = torch.stack([radius * turn.cos(), radius * turn.sin()], -1).reshape(-1, 2)
    x = torch.cat([pos, pos.norm(dim=1, keepdim=True)], 1)
    instance = torch.arange(num_arcs).repeat_interleave(points)
    return Data(x=x, pos=pos, edge_index=ops.knn_graph(pos, 6), instance=instance)


def train(steps: int = 150) -> tuple[Segmenter, float]:
    """Trains on fresh graphs; returns the model and its last loss."""
    model = Segmenter()
    # Raise this weight when one instance comes out twice, lower it when it comes out in pieces.
    loss = InfluencerLoss(influencer_repulsion_weight=0.2)  # <- 1
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(steps):
        batch = Batch.from_data_list([arcs(6) for _ in range(8)])
        follower, influencer = model(batch)
        terms = loss(follower, influencer, batch.instance, batch.batch)  # <- 2
        optimizer.zero_grad()
        terms.total.backward()  # <- 3
        optimizer.step()
        if step % 50 == 0 or step == steps - 1:  # terms are unweighted, the total is not
            print(f"step {step:3d}  total {terms.total.item():.3f}  {terms}")
    return model, terms.total.item()


@torch.no_grad()
def segment(model: Segmenter, data: Data, radius: float = 0.5) -> Instances:
    """Instances of one graph; calibrate the radius on data held back for it in real use."""
    return condense(*model(data), radius=radius, min_size=3)  # <- 4


def main() -> tuple[int, int]:
    """Returns the number of instances found and of those that are there."""
    torch.manual_seed(0)
    model, _ = train()
    data = arcs(6)
    found = segment(model, data)
    for k in range(len(found)):
        members = found.members(k)
        truth = data.instance[members].mode().values.item()
        pure = (data.instance[members] == truth).float().mean().item()
        print(
            f"instance {k}: {len(members)} nodes around node {found.influencer[k].item()}, "
            f"score {found.score[k].item():.2f}, {pure:.0%} from arc {truth}"
        )
    print(f"{len(found)} instances found, {int(data.instance.max()) + 1} there")
    return len(found), int(data.instance.max()) + 1


if __name__ == "__main__":
    main()
