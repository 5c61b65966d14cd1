"""Models with a stem over pixels, and models without one, which stay what they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs.images import image_to_graph
from geoinfluencer.losses import InfluencerLoss
from geoinfluencer.models import InfluencerSegmenter, QuerySegmenter
from geoinfluencer.nn.pixel_affinity import PixelReader
from geoinfluencer.training.configuration.config import SupervisionSection
from geoinfluencer.training.objective import EmbeddingObjective, build_objective


def sample(seed: int, height: int = 24, width: int = 32) -> Data:
    """A bright square on the left and its truth, on cells out of step with it."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    image[6:18, 6:18] += 150
    truth = np.full((height, width), -1, np.int32)
    truth[6:18, 6:18] = 0
    data = image_to_graph(image, "grid", stride=4, both_directions=False)
    data.image = torch.from_numpy(image.reshape(-1, 3))
    data.pixel_instance = torch.from_numpy(truth.reshape(-1))
    segment = data.segment_map.long()
    share = torch.bincount(segment, (data.pixel_instance == 0).double()) / data.mass
    data.instance = torch.where(share > 0.5, 0, -1)
    return data


def model(cls: type[InfluencerSegmenter] = InfluencerSegmenter, **options: Any) -> Any:
    torch.manual_seed(0)
    data = sample(0)
    return cls(
        in_channels=data.x.shape[1], edge_channels=data.edge_attr.shape[1],
        hidden_channels=8, num_layers=2, **options,
    )  # fmt: skip


def test_without_a_stem_nothing_is_added() -> None:
    plain, stemmed = model(), model(stem="conv", stem_pooling=False)
    added = {"stem", "affinity"}
    assert {name.split(".")[0] for name in plain.state_dict()}.isdisjoint({*added, "pooled"})
    for name, tensor in stemmed.state_dict().items():
        if name.split(".")[0] not in added:
            assert torch.equal(tensor, plain.state_dict()[name]), name
    batch = Batch.from_data_list([sample(1), sample(2)])
    ours, theirs = stemmed(batch), plain(batch)
    assert torch.equal(ours.follower, theirs.follower)  # affinities alone change no embedding
    assert theirs.pixels is None and ours.pixels.num_pixels == 2 * 24 * 32


@pytest.mark.parametrize("cls", [InfluencerSegmenter, QuerySegmenter])
def test_the_features_of_the_stem_reach_the_embeddings(cls: type[InfluencerSegmenter]) -> None:
    found = model(cls, stem="conv", stem_channels=6)
    data = sample(1)
    before = found(data).follower
    data.image = data.image.flip(0)
    assert not torch.allclose(found(data).follower, before)
    assert found.trunk[0][0].in_features == 8 + data.x.shape[1] + 6


def test_the_affinities_are_learned() -> None:
    net = model(stem="conv", stem_channels=8)
    batch = Batch.from_data_list([sample(1), sample(2)])
    objective = EmbeddingObjective(InfluencerLoss(), pixel_weight=3.0)
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    seen = []
    for _ in range(60):
        terms = objective(net(batch), batch)
        assert terms.weights["pixel_affinity"] == 3.0
        optimiser.zero_grad()
        terms.total.backward()
        optimiser.step()
        seen.append(terms["pixel_affinity"].item())
    assert net.stem.first.weight.grad.abs().sum() > 0
    assert seen[-1] < seen[0] / 4
    del batch.pixel_instance
    assert "pixel_affinity" not in objective(net(batch), batch)


def test_as_many_pixels_are_drawn_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    draw = PixelReader.random_pixels

    def counting(reader: PixelReader, count: int) -> torch.Tensor:
        drawn.append(count)
        return draw(reader, count)

    monkeypatch.setattr(PixelReader, "random_pixels", counting)
    net, batch = model(stem="conv"), Batch.from_data_list([sample(1)])
    settings = SupervisionSection(pixel_samples=77)
    build_objective({"name": "influencer"}, settings)(net(batch), batch)
    queries = model(QuerySegmenter, stem="conv")
    build_objective({"name": "mask-influencer"}, settings)(queries(batch), batch)
    assert drawn == [77, 77]


def test_images_without_objects_train_too() -> None:
    empty = sample(0)
    empty.pixel_instance = torch.full_like(empty.pixel_instance, -1)
    empty.instance = torch.full_like(empty.instance, -1)
    net, batch = model(stem="conv"), Batch.from_data_list([empty])
    terms = EmbeddingObjective(InfluencerLoss())(net(batch), batch)
    assert terms["pixel_affinity"] == 0 and torch.isfinite(terms.total)
    terms.total.backward()


def test_wrong_inputs_are_named() -> None:
    with pytest.raises(InputError, match="model.stem is 'unet'; choose conv, timm or null"):
        model(stem="unet")
    data = sample(0)
    del data.image
    with pytest.raises(InputError, match="data.pixels=true"):
        model(stem="conv")(data)
