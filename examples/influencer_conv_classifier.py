"""InfluencerConv as a layer of a node classifier, like any other PyG convolution.

The data are generated: interleaved spirals of noisy points, turned at random, and named at random
in every graph. One point in five shows its name; the others must hear it from their neighbours, so
no layer that looks at a point alone can do better than guess. The first layers pass messages along
a given graph, the last looks for its own neighbours in the space that it learns. Run it with

    python examples/influencer_conv_classifier.py
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from geoinfluencer import InfluencerConv, ops


class Classifier(nn.Module):
    """Three influencer convolutions and a linear layer."""

    def __init__(self, hidden: int = 32, classes: int = 3) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.Linear(2 + classes, hidden), nn.ReLU(), nn.Linear(hidden, hidden)
        )
        self.given = nn.ModuleList(InfluencerConv(hidden, hidden) for _ in range(2))  # your graph
        self.learned = InfluencerConv(hidden, hidden, k=8)  # the 8 nearest influencers
        self.classify = nn.Linear(hidden, classes)

    def forward(self, data: Data) -> Tensor:
        h = self.embed(data.x)
        for conv in self.given:
            h = h + conv(h, data.edge_index).relu()
        h = h + self.learned(h, batch=data.batch).relu()
        return self.classify(h)  # (N, C)


def spirals(points: int = 60, classes: int = 3) -> Data:
    """One graph of interleaved spirals; `y` is the name of each point's spiral."""
    arm = torch.arange(classes).repeat_interleave(points)
    t = torch.rand(len(arm))
    angle = 2 * math.pi * (arm / classes + 0.6 * t + torch.rand(1)) + 0.05 * torch.randn(len(arm))
    pos = (0.2 + t)[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    pos = pos + 0.02 * torch.randn_like(pos)
    y = torch.randperm(classes)[arm]
    shown = torch.rand(len(y)) < 0.2
    names = nn.functional.one_hot(y, classes) * shown[:, None]
    x = torch.cat([pos, names.float()], 1)
    return Data(x=x, pos=pos, y=y, hidden=~shown, edge_index=ops.knn_graph(pos, 8))


def train(steps: int = 200) -> Classifier:
    """Trains on fresh graphs."""
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps):
        batch = Batch.from_data_list([spirals() for _ in range(4)])
        loss = nn.functional.cross_entropy(model(batch)[batch.hidden], batch.y[batch.hidden])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step:3d}  cross-entropy {loss.item():.3f}")
    return model


@torch.no_grad()
def accuracy(model: Classifier, graphs: int = 20) -> float:
    """Share of the nameless nodes of unseen graphs that get their spiral's name."""
    batch = Batch.from_data_list([spirals() for _ in range(graphs)])
    right = model.eval()(batch).argmax(1) == batch.y
    return right[batch.hidden].float().mean().item()


def main() -> float:
    """Returns the accuracy on unseen graphs."""
    torch.manual_seed(0)
    model = train()
    print(model.learned)
    reached = accuracy(model)
    print(f"accuracy on unseen graphs: {reached:.3f} (guessing: {1 / 3:.3f})")
    return reached


if __name__ == "__main__":
    main()
