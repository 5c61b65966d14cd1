"""One layer of a query decoder: queries read nodes, then each other, then think."""

from __future__ import annotations

from torch import Tensor, nn

from geoinfluencer.nn.ragged import Ragged
from geoinfluencer.nn.ragged_attention import RaggedAttention


class QueryLayer(nn.Module):
    """Cross-attention, self-attention, feed-forward, in the order of `Mask2Former (Cheng et al.,
    CVPR 2022) <https://arxiv.org/abs/2112.01527>`_, each residual and after a LayerNorm.

    Args:
        channels (int): size H of the query states.
        heads (int): of both attentions. (default: 4)
        dropout (float): of each update. (default: 0.0)

    Shapes:
        - **input:** states (Q, H), keys and values (N, h, d) of the memory, ``allowed`` (N, M) bool
        - **output:** states (Q, H)
    """

    def __init__(self, channels: int, *, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.cross_norm = nn.LayerNorm(channels)
        self.cross = RaggedAttention(channels, heads=heads)
        self.self_norm = nn.LayerNorm(channels)
        self.among = RaggedAttention(channels, heads=heads)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, 2 * channels),
            nn.SiLU(),
            nn.Linear(2 * channels, channels),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        state: Tensor,
        remembered: tuple[Tensor, Tensor],
        queries: Ragged,
        keys: Ragged,
        allowed: Tensor | None = None,
    ) -> Tensor:
        read = self.cross.attend(self.cross_norm(state), remembered, queries, keys, allowed)
        state = state + self.dropout(read)
        peers = self.self_norm(state)
        state = state + self.dropout(self.among(peers, peers, queries, queries))
        update: Tensor = self.dropout(self.feed_forward(state))
        return state + update
