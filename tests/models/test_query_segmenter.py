from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.condensation import condense_queries
from geoinfluencer.errors import InputError
from geoinfluencer.losses.denoising import DenoisingLoss
from geoinfluencer.losses.influence import InfluenceLoss
from geoinfluencer.models import InfluencerSegmenter, QuerySegmenter

SMALL = {
    "in_channels": 5, "edge_channels": 4, "hidden_channels": 16, "num_layers": 2,
    "embedding_dim": 3,
}  # fmt: skip


def graph(n: int = 12, seed: int = 0, edges: int = 30) -> Data:
    generator = torch.Generator().manual_seed(seed)
    return Data(
        pos=torch.rand(n, 3, generator=generator),
        x=torch.randn(n, 5, generator=generator),
        edge_index=torch.randint(0, max(n, 1), (2, edges if n else 0), generator=generator),
        edge_attr=torch.randn(edges if n else 0, 4, generator=generator),
        instance=torch.randint(-1, 3, (n,), generator=generator),
        y=torch.randint(0, 2, (n,), generator=generator),
    )


def model(**options: object) -> QuerySegmenter:
    torch.manual_seed(0)
    settings = {"query_channels": 16, "decoder_layers": 2, "min_queries": 3, **SMALL, **options}
    return QuerySegmenter(**settings)


KINDS = [{"queries": "influencer"}, {"queries": "learned", "num_queries": 4}]


@pytest.mark.parametrize("kind", KINDS, ids=["influencer", "learned"])
def test_all_outputs_are_there_and_everything_learns(kind: dict[str, object]) -> None:
    net = model(num_classes=2, denoising_groups=2, scale_sizes=[0.4], **kind).train()
    batch = Batch.from_data_list([graph(seed=1), graph(9, seed=2)])
    out = net(batch)
    queries = out.queries
    assert queries is not None and len(queries.auxiliary) == 2
    assert out.follower.shape == (21, 3) and queries.logits.shape[0] == 21
    assert (out.influence is None) == (kind["queries"] == "learned")
    loss = out.follower.square().sum() + out.influencer.square().sum() + out.class_logits.sum()
    for layer in (*queries.auxiliary, queries):
        assert layer.denoising is not None and layer.denoising.logits.shape[:2] == (2, 21)
        found = layer.denoising
        terms = DenoisingLoss()(
            found.logits, found.target, found.query_ptr,
            ptr=batch.ptr, class_logits=found.class_logits, y=batch.y,
        )  # fmt: skip
        loss = loss + terms.total + layer.logits[torch.isfinite(layer.logits)].square().sum()
        loss = loss + layer.quality_logits.square().sum() + layer.class_logits.square().sum()
    if out.influence is not None:
        terms = InfluenceLoss()(
            out.influence, out.follower, out.influencer, batch.instance, ptr=batch.ptr
        )
        loss = loss + terms.total
    loss.backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


@pytest.mark.parametrize("kind", KINDS, ids=["influencer", "learned"])
def test_graphs_of_a_batch_do_not_see_each_other(kind: dict[str, object]) -> None:
    net = model(scale_sizes=[0.4], **kind).eval()
    graphs = [graph(seed=1), graph(0, seed=5), graph(40, seed=2, edges=90)]
    batch = Batch.from_data_list(graphs)
    parts = net(batch).queries.split(batch.ptr)
    for part, data in zip(parts, graphs, strict=True):
        alone = net(Batch.from_data_list([data])).queries
        torch.testing.assert_close(part.logits, alone.logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(part.quality_logits, alone.quality_logits, atol=1e-4, rtol=1e-4)
        if alone.query_node is not None:
            assert torch.equal(part.query_node, alone.query_node)


def test_denoising_does_not_change_what_the_other_queries_say() -> None:
    plain, noisy = model().train(), model(denoising_groups=2).train()
    data = graph(30)
    first, second = plain(data).queries, noisy(data).queries
    torch.testing.assert_close(first.logits, second.logits)
    assert first.denoising is None and second.denoising is not None
    data.ignore = data.instance == 1
    found = noisy(data).queries.denoising
    assert (found.target[data.ignore] == -1).all() and int(found.query_ptr[-1]) == 2
    assert noisy.eval()(data).queries.denoising is None
    data.instance = torch.full_like(data.instance, -1)
    assert noisy.train()(data).queries.denoising.logits.shape == (2, 30, 0)


def test_encoder_and_heads_are_those_of_the_standard_model() -> None:
    torch.manual_seed(0)
    standard, net = InfluencerSegmenter(**SMALL), model()
    names = set(standard.state_dict())
    assert names == {
        name
        for name in net.state_dict()
        if not name.startswith(("decoder", "content", "influence", "nearness"))
    } | {"influencer.weight", "influencer.bias"}
    net.load_state_dict(standard.state_dict(), strict=False)
    torch.testing.assert_close(net(graph()).follower, standard(graph()).follower)


def test_the_number_of_queries_follows_the_scene() -> None:
    net, capped = (model(embedding_scale=60.0, max_queries=most).eval() for most in (None, 7))
    for one in (net, capped):
        torch.nn.init.constant_(one.influence.bias, 9.0)  # everybody has influence
    small, large = (net(graph(n)).queries.num_queries for n in (10, 200))
    assert small <= 10 < 150 < large
    assert capped(graph(200)).queries.num_queries == 7
    torch.nn.init.constant_(net.influence.bias, -9.0)
    assert net(graph(200)).queries.num_queries == 3
    assert net(graph(2)).queries.num_queries == 2


def test_large_scenes_are_decoded_by_blocks() -> None:
    dense, lazy = model().eval(), model(max_logits=8).eval()
    data = graph(50)
    whole, parts = dense(data).queries, lazy(data).queries
    assert parts.rows is not None and parts.logits.shape[0] == 0
    ptr = torch.tensor([0, 50])
    instances = [condense_queries(q.blocks(32), q.query_ptr, ptr).instance for q in (whole, parts)]
    assert torch.equal(*instances)
    assert lazy.train()(data).queries.rows is None  # training needs them all


def test_settings_that_cannot_be() -> None:
    with pytest.raises(InputError, match="model.queries is 'both'; choose one of influencer"):
        model(queries="both")
    with pytest.raises(InputError, match="denoising_groups is -1"):
        model(denoising_groups=-1)
    data = graph()
    del data.pos
    with pytest.raises(InputError, match="scale_sizes needs `pos`"):
        model(scale_sizes=[1.0])(data)
