"""The small perceptron every block here is made of."""

from __future__ import annotations

from itertools import pairwise

from torch import nn


def mlp(channels: list[int], *, norm: bool = True, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers with SiLU (and LayerNorm) between them, none after the last.

    Args:
        channels: Sizes, input first.
        norm: Normalise each hidden layer.
        dropout: Probability of dropping a hidden unit.
    """
    layers: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(channels)):
        layers.append(nn.Linear(fan_in, fan_out))
        if i < len(channels) - 2:
            layers.extend([nn.LayerNorm(fan_out)] if norm else [])
            layers.append(nn.SiLU())
            layers.extend([nn.Dropout(dropout)] if dropout else [])
    return nn.Sequential(*layers)
