"""Attention of each graph's queries to its own keys, without paying for padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from geoinfluencer.errors import InputError
from geoinfluencer.nn.ragged import Ragged, prefer_padding

_MASK_ELEMENTS = 2**24  # of the mask of one call: queries beyond that wait for the next


def ragged_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    queries: Ragged,
    keys: Ragged,
    allowed: Tensor | None = None,
) -> Tensor:
    r"""Scaled dot-product attention (`Vaswani et al., NeurIPS 2017
    <https://arxiv.org/abs/1706.03762>`_) within each graph of a batch.

    .. math:: o_q = \sum_{i \in \text{graph}(q)} \operatorname{softmax}_i
              \left( \frac{\langle q, k_i \rangle}{\sqrt{d}} \right) v_i

    Two ways to the same numbers: one call on a rectangle padded to the largest graph, or one call
    per graph, by the rule of :func:`~geoinfluencer.nn.ragged.prefer_padding`. Both use torch's
    fused kernels (Flash attention where it applies): no (Q, N) matrix of weights is kept, only the
    mask, where there is one.

    Args:
        query, key, value: heads in the second dimension.
        queries, keys: the graphs that the rows belong to.
        allowed: row per key, column per query of its graph; a query that may see none of its
            graph's keys sees them all. None: everybody sees everybody.

    Shapes:
        query (Q, h, d), key and value (N, h, d), allowed (N, M) bool with M the most queries of a
        graph -> (Q, h, d); 0 for queries of a graph without keys.

    Raises:
        InputError: queries and keys are not of as many graphs, or ``allowed`` does not fit.
    """
    if queries.num_graphs != keys.num_graphs:
        raise InputError(
            f"queries are of {queries.num_graphs} graphs, keys of {keys.num_graphs}; "
            "give both the same graphs, empty ones included"
        )
    if allowed is not None and allowed.shape != (keys.total, queries.largest):
        raise InputError(
            f"allowed has shape {tuple(allowed.shape)}; expected (keys, most queries of a graph) "
            f"= {(keys.total, queries.largest)}"
        )
    if queries.total == 0 or keys.total == 0:
        return torch.zeros_like(query)
    if prefer_padding(queries, keys):
        return _padded(query, key, value, queries, keys, allowed)
    return _one_by_one(query, key, value, queries, keys, allowed)


def _padded(
    query: Tensor, key: Tensor, value: Tensor, queries: Ragged, keys: Ragged, allowed: Tensor | None
) -> Tensor:
    q, k, v = queries.pad(query), keys.pad(key), keys.pad(value)  # (B, M, h, d), (B, N, h, d)
    mask = None
    if allowed is not None:
        mask = keys.pad(allowed).transpose(1, 2)  # (B, M, N), no padding in it
    if not keys.even:
        real = keys.valid[:, None, :]  # (B, 1, N)
        # padding is all zeros: a graph without keys may as well look at that
        real = real | (keys.ptr.diff() == 0)[:, None, None]
        mask = real if mask is None else torch.where(mask.any(-1, keepdim=True), mask, real)
    elif mask is not None:
        mask = mask | ~mask.any(-1, keepdim=True)
    return queries.unpad(_attend(q, k, v, mask))


def _one_by_one(
    query: Tensor, key: Tensor, value: Tensor, queries: Ragged, keys: Ragged, allowed: Tensor | None
) -> Tensor:
    # split: the gradient of B slices would be B tensors of all rows
    each = zip(
        query.split(queries.sizes), key.split(keys.sizes), value.split(keys.sizes), strict=True
    )
    masks = [None] * keys.num_graphs if allowed is None else allowed.split(keys.sizes)
    parts = []
    for (q, k, v), mask in zip(each, masks, strict=True):
        if q.shape[0] == 0 or k.shape[0] == 0:
            parts.append(torch.zeros_like(q))
            continue
        if mask is not None:
            mask = mask[:, : q.shape[0]].t()[None]  # (1, m, n)
            mask = mask | ~mask.any(-1, keepdim=True)
        parts.append(_attend(q[None], k[None], v[None], mask)[0])
    return torch.cat(parts)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """(B, M, h, d) x (B, N, h, d) with mask (B, 1 or M, N) -> (B, M, h, d)."""
    q, k, v = (rows.transpose(1, 2) for rows in (query, key, value))
    if mask is None or mask.shape[1] == 1:
        mask = None if mask is None else mask[:, None]
        return scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)
    step = max(1, _MASK_ELEMENTS // max(1, mask.shape[0] * mask.shape[2]))
    parts = [
        scaled_dot_product_attention(part, k, v, attn_mask=seen[:, None])
        for part, seen in zip(q.split(step, 2), mask.split(step, 1), strict=True)
    ]
    return (parts[0] if len(parts) == 1 else torch.cat(parts, 2)).transpose(1, 2)


class RaggedAttention(nn.Module):
    """Multi-head attention of each graph's queries to its own memory.

    Args:
        channels (int): size H of the states.
        heads (int): divides H. (default: 4)

    Shapes:
        - **input:** query states (Q, H), memory states (N, H), their :class:`Ragged` graphs,
          ``allowed`` (N, M) bool *(optional)*
        - **output:** (Q, H)

    Raises:
        InputError: heads do not divide the channels.
    """

    def __init__(self, channels: int, *, heads: int = 4) -> None:
        super().__init__()
        if heads < 1 or channels % heads:
            raise InputError(f"heads is {heads}; it must divide the {channels} channels")
        self.shape = (heads, channels // heads)
        self.query = nn.Linear(channels, channels)
        self.memory = nn.Linear(channels, 2 * channels)
        self.out = nn.Linear(channels, channels)

    def remember(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (N, h, d) of a memory (N, H): for several calls of :meth:`attend`."""
        key, value = self.memory(memory).unflatten(1, (2, *self.shape)).unbind(1)
        return key, value

    def attend(
        self,
        state: Tensor,
        remembered: tuple[Tensor, Tensor],
        queries: Ragged,
        keys: Ragged,
        allowed: Tensor | None = None,
    ) -> Tensor:
        """What queries (Q, H) read from remembered keys and values: (Q, H)."""
        query = self.query(state).unflatten(1, self.shape)
        read = ragged_attention(query, *remembered, queries, keys, allowed)
        return self.out(read.flatten(1))

    def forward(
        self,
        state: Tensor,
        memory: Tensor,
        queries: Ragged,
        keys: Ragged,
        allowed: Tensor | None = None,
    ) -> Tensor:
        return self.attend(state, self.remember(memory), queries, keys, allowed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.out.in_features}, heads={self.shape[0]})"
