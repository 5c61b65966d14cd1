from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.nn import ragged_attention as module
from geoinfluencer.nn.ragged import Ragged, prefer_padding
from geoinfluencer.nn.ragged_attention import RaggedAttention, ragged_attention


def rows(*sizes: int) -> Ragged:
    return Ragged.of(torch.tensor([0, *sizes]).cumsum(0))


def tensors(queries: Ragged, keys: Ragged, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(r.total, 2, 3, generator=generator, dtype=torch.float64, requires_grad=True)
        for r in (queries, keys, keys)
    ]


def by_definition(
    query: Tensor, key: Tensor, value: Tensor, queries: Ragged, keys: Ragged, allowed: Tensor | None
) -> Tensor:
    """The formula, one query and one head at a time."""
    out = []
    for q in range(queries.total):
        graph, column = int(queries.graph[q]), int(queries.local[q])
        seen = keys.graph == graph
        if allowed is not None and bool((seen & allowed[:, column]).any()):
            seen = seen & allowed[:, column]
        heads = []
        for h in range(query.shape[1]):
            score = key[seen, h] @ query[q, h] / query.shape[2] ** 0.5
            heads.append(score.softmax(0) @ value[seen, h])
        out.append(torch.stack(heads))
    return torch.stack(out) if out else query * 0


SIZES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=4)


@settings(max_examples=60)
@given(sizes=SIZES, masked=st.booleans(), seed=st.integers(0, 99))
def test_both_ways_are_the_formula_with_its_gradients(
    sizes: list[tuple[int, int]], masked: bool, seed: int
) -> None:
    queries, keys = rows(*(m for m, _ in sizes)), rows(*(n for _, n in sizes))
    inputs = tensors(queries, keys, seed)
    allowed = None
    if masked:
        generator = torch.Generator().manual_seed(seed)
        allowed = torch.rand(keys.total, queries.largest, generator=generator) < 0.4
    expected = by_definition(*inputs, queries, keys, allowed)
    grads = torch.autograd.grad(expected.square().sum(), inputs, allow_unused=True)
    ways = [ragged_attention]
    if queries.total and keys.total:
        ways += [module._padded, module._one_by_one]
    for way in ways:
        found = way(*inputs, queries, keys, allowed)
        torch.testing.assert_close(found, expected)
        if not found.requires_grad:  # nothing to look at: constant zeros
            continue
        got = torch.autograd.grad(found.square().sum(), inputs, allow_unused=True)
        for ours, theirs, like in zip(got, grads, inputs, strict=True):
            zero = torch.zeros_like(like)
            torch.testing.assert_close(
                zero if ours is None else ours, zero if theirs is None else theirs
            )


@pytest.mark.parametrize("way", ["_padded", "_one_by_one"])
def test_a_query_that_may_see_nothing_sees_all(way: str) -> None:
    queries, keys = rows(2, 1), rows(4, 3)
    inputs = tensors(queries, keys)
    allowed = torch.zeros(7, 2, dtype=torch.bool)
    allowed[1, 0] = True  # the first query of the first graph sees one node alone
    attend = getattr(module, way)
    found, free = (attend(*inputs, queries, keys, mask) for mask in (allowed, None))
    torch.testing.assert_close(found[0], inputs[2][1])
    torch.testing.assert_close(found[1:], free[1:])
    assert not torch.allclose(found[0], free[0])


def test_queries_beyond_the_size_of_a_mask_wait_for_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queries, keys = rows(5, 3), rows(4, 6)
    inputs = tensors(queries, keys)
    allowed = torch.rand(10, 5) < 0.5
    whole = ragged_attention(*inputs, queries, keys, allowed)
    monkeypatch.setattr(module, "_MASK_ELEMENTS", 13)
    torch.testing.assert_close(ragged_attention(*inputs, queries, keys, allowed), whole)


def test_padding_is_for_batches_that_waste_little_by_it() -> None:
    assert prefer_padding(rows(10, 12, 9), rows(100, 90, 80))
    assert prefer_padding(rows(300, 300), rows(5000, 5000))  # nothing is wasted at all
    assert not prefer_padding(rows(100, 2), rows(10_000, 20))


def test_the_module_learns_by_all_its_parameters() -> None:
    attention = RaggedAttention(8, heads=2)
    queries, keys = rows(2, 3), rows(4, 5)
    state, memory = torch.randn(5, 8), torch.randn(9, 8)
    out = attention(state, memory, queries, keys)
    assert out.shape == (5, 8)
    out.square().sum().backward()
    assert all(p.grad is not None for p in attention.parameters())
    assert repr(attention) == "RaggedAttention(8, heads=2)"


def test_what_does_not_fit_is_an_input_error() -> None:
    queries, keys = rows(2, 1), rows(3, 3)
    inputs = tensors(queries, keys)
    with pytest.raises(InputError, match="queries are of 2 graphs, keys of 1"):
        ragged_attention(*inputs, queries, rows(6))
    with pytest.raises(InputError, match=r"allowed has shape \(6, 3\)"):
        ragged_attention(*inputs, queries, keys, torch.ones(6, 3, dtype=torch.bool))
    with pytest.raises(InputError, match="heads is 3; it must divide the 8 channels"):
        RaggedAttention(8, heads=3)
