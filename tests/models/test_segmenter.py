import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.models import InfluencerSegmenter
from geoinfluencer.nn.encoders import ENCODERS


def graph(n: int = 12, seed: int = 0, edges: int = 30) -> Data:
    generator = torch.Generator().manual_seed(seed)
    return Data(
        pos=torch.rand(n, 3, generator=generator),
        x=torch.randn(n, 5, generator=generator) * 3 + 1,
        edge_index=torch.randint(0, n, (2, edges), generator=generator),
        edge_attr=torch.randn(edges, 4, generator=generator),
        superpoint=torch.arange(n) // 3,
    )


def model(encoder: str = "interaction", **options: object) -> InfluencerSegmenter:
    torch.manual_seed(0)
    return InfluencerSegmenter(
        in_channels=5, edge_channels=4, encoder=encoder, hidden_channels=16, num_layers=2,
        embedding_dim=3, **options,
    )  # fmt: skip


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_gives_both_embeddings_and_trains(encoder: str) -> None:
    net = model(encoder, num_classes=2)
    out = net(graph())
    assert out.follower.shape == out.influencer.shape == (12, 3)
    assert out.class_logits is not None and out.class_logits.shape == (12, 2)
    (out.follower.square().sum() + out.influencer.sum() + out.class_logits.sum()).backward()
    missing = [n for n, p in net.named_parameters() if p.grad is None]
    assert not missing


@pytest.mark.parametrize("encoder", ENCODERS)
def test_graphs_of_a_batch_do_not_see_each_other(encoder: str) -> None:
    net = model(encoder).eval()
    first, second = graph(seed=1), graph(9, seed=2)
    together = net(Batch.from_data_list([first, second]))
    apart = torch.cat([net(first).follower, net(second).follower])
    torch.testing.assert_close(together.follower, apart, atol=1e-4, rtol=1e-4)


def test_learned_neighbours_stay_inside_their_graph() -> None:
    net = model("influencer", neighbors=4).eval()
    first, second = graph(seed=1), graph(9, seed=2)
    together = net(Batch.from_data_list([first, second]))
    apart = torch.cat([net(first).follower, net(second).follower])
    torch.testing.assert_close(together.follower, apart, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_graph_without_edges_still_embeds(encoder: str) -> None:
    assert torch.isfinite(model(encoder)(graph(edges=0)).follower).all()


def test_normalisation_is_kept_in_the_state_and_used() -> None:
    net, sample = model(), graph(200)
    before = net(sample).follower
    net.fit_normalisation([sample])
    torch.testing.assert_close(net.x_mean, sample.x.mean(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(net.x_scale, sample.x.std(0, correction=0), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(before, net(sample).follower)
    other = model()
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(other(sample).follower, net(sample).follower)


def test_constant_features_do_not_blow_up() -> None:
    net, sample = model(), graph()
    sample.x[:, 0] = 7.0
    net.fit_normalisation([sample])
    assert net.x_scale[0] == 1 and torch.isfinite(net(sample).follower).all()


def test_untrained_embeddings_spread_with_the_scale() -> None:
    near, far = model(embedding_scale=1.0), model(embedding_scale=6.0)
    spread = [net(graph(200)).follower.std(0).mean().item() for net in (near, far)]
    assert spread[1] == pytest.approx(6 * spread[0], rel=0.05)


def test_wrong_widths_and_names_are_input_errors() -> None:
    sample = graph()
    sample.x = sample.x[:, :3]
    with pytest.raises(InputError, match="3 features; this model was made for 5"):
        model()(sample)
    with pytest.raises(InputError, match="choose one of"):
        model("transformr")
