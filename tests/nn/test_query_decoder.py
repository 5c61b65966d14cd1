from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.nn.logit_rows import LogitRows, query_products
from geoinfluencer.nn.query_decoder import QueryDecoder
from geoinfluencer.nn.query_memory import Scale
from geoinfluencer.nn.query_outputs import QueryOutputs
from geoinfluencer.nn.query_prior import nearness
from geoinfluencer.nn.ragged import Ragged


def decoder(**options: object) -> QueryDecoder:
    torch.manual_seed(0)
    settings = {"hidden_channels": 8, "heads": 2, "num_layers": 2, "num_classes": 3, **options}
    return QueryDecoder(6, **settings).eval()


def rows(*sizes: int) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


def inputs(queries: tuple[int, ...], nodes: tuple[int, ...]) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    query = torch.randn(sum(queries), 8, generator=generator)
    return query, rows(*queries), torch.randn(sum(nodes), 6, generator=generator), rows(*nodes)


def layers(outputs: QueryOutputs) -> list[QueryOutputs]:
    return [*outputs.auxiliary, outputs]


QUERIES, NODES = (3, 0, 5, 2), (7, 4, 0, 9)


def test_every_layer_predicts_logits_quality_and_classes() -> None:
    out = decoder()(*inputs(QUERIES, NODES))
    assert len(out.auxiliary) == 2  # the initial prediction and that of the first layer
    for layer in layers(out):
        assert layer.logits.shape == (20, 5)
        assert layer.quality_logits.shape == (10,) and layer.num_queries == 10
        assert layer.class_logits is not None and layer.class_logits.shape == (10, 3)
        finite = torch.isfinite(layer.logits)
        # a graph with m queries has m columns, the others are no queries
        assert finite[:7].sum(1).tolist() == [3] * 7
        assert finite[7:11].sum() == 0 and finite[11:].sum(1).tolist() == [2] * 9
        assert (layer.logits[~finite] == -torch.inf).all()
    assert decoder(num_classes=0)(*inputs(QUERIES, NODES)).class_logits is None


@pytest.mark.parametrize("masked", [True, False])
def test_a_batch_gives_what_its_graphs_give(masked: bool) -> None:
    net = decoder(masked=masked)
    query, query_ptr, state, ptr = inputs(QUERIES, NODES)
    together = net(query, query_ptr, state, ptr).split(ptr)
    assert len(together) == 4
    for b, part in enumerate(together):
        q, n = slice(*query_ptr[b : b + 2].tolist()), slice(*ptr[b : b + 2].tolist())
        m, k = QUERIES[b], NODES[b]
        alone = net(query[q], rows(m), state[n], rows(k))
        for ours, theirs in zip(layers(part), layers(alone), strict=True):
            torch.testing.assert_close(ours.logits, theirs.logits)
            torch.testing.assert_close(ours.quality_logits, theirs.quality_logits)
            torch.testing.assert_close(ours.class_logits, theirs.class_logits)


def test_orders_of_nodes_and_queries_do_not_matter() -> None:
    net = decoder()
    query, query_ptr, state, ptr = inputs((6,), (30,))
    q, n = torch.randperm(6), torch.randperm(30)
    out, moved = net(query, query_ptr, state, ptr), net(query[q], query_ptr, state[n], ptr)
    torch.testing.assert_close(moved.logits, out.logits[n][:, q])
    torch.testing.assert_close(moved.quality_logits, out.quality_logits[q])


def test_masked_queries_read_only_what_they_claimed() -> None:
    net = decoder(num_layers=1)
    query, query_ptr, state, ptr = inputs((1,), (12,))
    out = net(query, query_ptr, state, ptr)
    claimed = out.auxiliary[0].logits[:, 0] > 0
    assert 0 < claimed.sum() < 12
    state.requires_grad_()
    for masked, read in ((True, claimed), (False, torch.ones_like(claimed))):
        net.masked = masked
        quality = net(query, query_ptr, state, ptr).quality_logits
        (grad,) = torch.autograd.grad(quality.sum(), state)
        assert torch.equal(grad.abs().sum(1) > 0, read)


def test_a_query_that_claims_nothing_reads_everything() -> None:
    net = decoder(num_layers=1)
    torch.nn.init.constant_(net.node_bias.bias, -1e3)
    query, query_ptr, state, ptr = inputs((2,), (12,))
    state.requires_grad_()
    out = net(query, query_ptr, state, ptr)
    assert (out.auxiliary[0].logits < 0).all()
    (grad,) = torch.autograd.grad(out.quality_logits.sum(), state)
    assert (grad.abs().sum(1) > 0).all()


def test_gradients_reach_everything_from_every_layer() -> None:
    net = decoder()
    query, query_ptr, state, ptr = inputs((3, 2), (7, 9))
    query.requires_grad_(), state.requires_grad_()
    for layer in layers(net(query, query_ptr, state, ptr)):
        loss = layer.logits[torch.isfinite(layer.logits)].square().sum()
        loss = loss + layer.quality_logits.square().sum() + layer.class_logits.square().sum()
        grads = torch.autograd.grad(loss, [query, state], retain_graph=True)
        assert all(bool((g != 0).any(1).all()) for g in grads)
    loss.backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


def test_scales_are_visited_in_turn_and_masked_by_their_members() -> None:
    net = decoder(num_layers=3)
    query, query_ptr, state, ptr = inputs((2,), (12,))
    cluster = torch.arange(12) // 4
    coarse = torch.randn(3, 6, requires_grad=True)
    scales = [Scale(coarse, rows(3), cluster), Scale(state, ptr)]
    memory = net.remember(state, ptr, scales)
    assert [r.total for r in memory.rows] == [3, 12, 3]
    out = net(query, query_ptr, state, ptr, scales)
    (grad,) = torch.autograd.grad(out.quality_logits.sum(), coarse)
    assert grad.abs().sum() > 0

    one = decoder(num_layers=1)
    first = one(query[:1], rows(1), state, ptr, scales)
    claims = (first.auxiliary[0].logits[:, 0] > 0).view(3, 4).any(1)
    (grad,) = torch.autograd.grad(first.quality_logits.sum(), coarse)
    expected = claims if bool(claims.any()) else torch.ones(3, dtype=torch.bool)
    assert torch.equal(grad.abs().sum(1) > 0, expected)


def test_a_scale_that_does_not_know_its_members_is_read_unmasked() -> None:
    net = decoder(num_layers=1)
    query, query_ptr, state, ptr = inputs((2,), (12,))
    coarse = torch.randn(5, 6, requires_grad=True)
    out = net(query, query_ptr, state, ptr, [(coarse, rows(5))])
    (grad,) = torch.autograd.grad(out.quality_logits.sum(), coarse)
    assert (grad.abs().sum(1) > 0).all()


def test_blocks_of_rows_are_the_logits() -> None:
    net = decoder()
    query, query_ptr, state, ptr = inputs(QUERIES, NODES)
    dense, memory = net(query, query_ptr, state, ptr), net.remember(state, ptr)
    lazy = net.decode(query, query_ptr, memory, max_logits=10)
    assert lazy.logits.shape == (0, 5) and not lazy.auxiliary and lazy.rows is not None
    blocks = list(lazy.blocks(15))
    assert max(block.shape[0] for block in blocks) == 3
    torch.testing.assert_close(torch.cat(blocks), dense.logits)
    torch.testing.assert_close(torch.cat(list(lazy.blocks())), dense.logits)
    torch.testing.assert_close(lazy.quality_logits, dense.quality_logits)
    for ours, theirs in zip(lazy.split(ptr), dense.split(ptr), strict=True):
        found = list(ours.blocks())
        if found:
            torch.testing.assert_close(torch.cat(found), theirs.logits)
    assert torch.equal(next(dense.blocks()), dense.logits)


def test_padded_products_are_those_graph_by_graph() -> None:
    node, query = torch.randn(1040, 4), torch.randn(43, 4)
    small = Ragged.of(rows(20, 20)), Ragged.of(rows(3, 2))
    large = Ragged.of(rows(1000, 40)), Ragged.of(rows(40, 3))  # too uneven to be padded
    for nodes, queries in (small, large):
        n, q = node[: nodes.total], query[: queries.total]
        found = query_products(n, q, nodes, queries)
        lazy = LogitRows(n, q, torch.zeros(nodes.total), nodes, queries)
        torch.testing.assert_close(found, torch.cat(list(lazy.blocks(100))))


def test_nearness_is_added_to_the_logits_of_every_layer() -> None:
    net = decoder()
    query, query_ptr, state, ptr = inputs((2, 3), (4, 5))
    follower, influencer = torch.randn(9, 2), torch.randn(5, 2)
    prior = nearness(follower, influencer, 0.5, torch.tensor(3.0))
    distance = torch.cdist(follower, influencer)
    expected = 3 * (1 - distance.square() / 0.5**2)
    torch.testing.assert_close(prior.node @ prior.query.t(), expected, atol=1e-4, rtol=1e-4)
    memory = net.remember(state, ptr)
    plain = net.decode(query, query_ptr, memory)
    out = net.decode(query, query_ptr, memory, prior=prior)
    first = out.auxiliary[0].logits - plain.auxiliary[0].logits  # no query has read anything yet
    torch.testing.assert_close(first[:4, :2], expected[:4, :2], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(first[4:], expected[4:, 2:], atol=1e-4, rtol=1e-4)
    lazy = net.decode(query, query_ptr, memory, prior=prior, max_logits=10)
    torch.testing.assert_close(torch.cat(list(lazy.blocks(6))), out.logits)


def test_mixed_precision_does_not_lose_the_prior() -> None:
    follower = 6 * torch.randn(9, 4)
    influencer = follower[:5] + 0.1  # near: the difference of squares near 150
    net = decoder()
    query, query_ptr, state, ptr = inputs((5,), (9,))
    with torch.autocast("cpu", torch.bfloat16):
        memory = net.remember(state, ptr)
        plain = net.decode(query, query_ptr, memory).auxiliary[0].logits
        prior = nearness(follower, influencer, 1.0, torch.tensor(1.0))
        out = net.decode(query, query_ptr, memory, prior=prior)
        found = out.auxiliary[0].logits - plain
    expected = 1 - torch.cdist(follower, influencer).square()
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-3)


def test_split_makes_node_indices_local() -> None:
    net = decoder()
    query, query_ptr, state, ptr = inputs((1, 2), (4, 5))
    out = net(query, query_ptr, state, ptr)
    out.query_node = torch.tensor([3, 4, 8])
    assert [part.query_node.tolist() for part in out.split(ptr)] == [[3], [0, 4]]


def test_what_does_not_fit_is_an_input_error() -> None:
    net = decoder()
    query, query_ptr, state, ptr = inputs((1, 2), (4, 5))
    with pytest.raises(InputError, match="query_ptr has 1 graphs and ends at 3; expected 2 and 3"):
        net(query, rows(3), state, ptr)
    with pytest.raises(InputError, match="state has 8 rows, ptr ends at 9"):
        net(query, query_ptr, state[1:], ptr)
    with pytest.raises(InputError, match="a scale has 5 rows, its ptr 1 graphs"):
        net(query, query_ptr, state, ptr, [(state[:5], rows(5))])
    with pytest.raises(InputError, match=r"cluster of a scale has shape \(3,\)"):
        net(query, query_ptr, state, ptr, [(state[:5], rows(2, 3), torch.zeros(3).long())])
    with pytest.raises(InputError, match="num_layers is 0"):
        decoder(num_layers=0)
