from __future__ import annotations

import pytest
import torch
from torch_geometric.data import Batch, Data

from geoinfluencer.errors import InputError
from geoinfluencer.losses import MASK_LOSSES, InfluencerLoss
from geoinfluencer.models import Outputs, QuerySegmenter
from geoinfluencer.training.configuration.config import SupervisionSection
from geoinfluencer.training.objective import EmbeddingObjective, build_objective
from geoinfluencer.training.scoring.inference import pick_device, resolve_precision


def batch(**fields: torch.Tensor) -> Batch:
    samples = [Data(instance=torch.tensor([0, 0, 1, -1]), num_nodes=4, **fields) for _ in range(2)]
    return Batch.from_data_list(samples)


def outputs(classes: int = 0, dtype: torch.dtype = torch.float32) -> Outputs:
    follower, influencer = torch.randn(2, 8, 3).to(dtype).requires_grad_()
    logits = torch.randn(8, classes, requires_grad=True) if classes else None
    return Outputs(follower, influencer, logits)


def test_options_reach_the_loss() -> None:
    settings = {"name": "influencer", "follower_margin": 2.0}
    loss = build_objective(settings, SupervisionSection()).loss
    assert isinstance(loss, InfluencerLoss) and loss.follower_margin == 2.0


def test_terms_are_float32_under_autocast() -> None:
    found = outputs(dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = EmbeddingObjective(InfluencerLoss())(found, batch())
    assert all(value.dtype is torch.float32 for value in terms.values())
    expected = EmbeddingObjective(InfluencerLoss())(
        Outputs(found.follower.float(), found.influencer.float()), batch()
    )
    assert terms.total.item() == pytest.approx(expected.total.item(), rel=1e-5)


def test_weights_and_ignored_nodes_are_passed_on() -> None:
    found = outputs()
    plain = EmbeddingObjective(InfluencerLoss())(found, batch()).total
    ignored = torch.tensor([False, True, False, False])
    for fields in ({"ignore": ignored}, {"weight": torch.tensor([1.0, 5.0, 1.0, 1.0])}):
        assert EmbeddingObjective(InfluencerLoss())(found, batch(**fields)).total != plain


def test_classes_add_a_term_that_leaves_void_out() -> None:
    found = outputs(classes=3)
    y = torch.tensor([0, 2, 1, -1])
    terms = EmbeddingObjective(InfluencerLoss())(found, batch(y=y))
    kept = torch.cat([y, y]) >= 0
    expected = torch.nn.functional.cross_entropy(found.class_logits[kept], torch.cat([y, y])[kept])  # type: ignore[index]
    assert terms["classification"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert terms.weights["classification"] == 1.0
    void = EmbeddingObjective(InfluencerLoss())(found, batch(y=torch.full((4,), -1)))
    assert void["classification"].item() == 0.0 and void["classification"].requires_grad


def graphs() -> Batch:
    torch.manual_seed(0)
    samples = [
        Data(
            x=torch.randn(10, 3),
            edge_index=torch.randint(0, 10, (2, 20)),
            instance=torch.arange(10) % 4 - 1,
            y=torch.arange(10) % 2,
            num_nodes=10,
        )
        for _ in range(2)
    ]
    return Batch.from_data_list(samples)


@pytest.mark.parametrize("name", MASK_LOSSES)
@pytest.mark.parametrize("queries", ["influencer", "learned"])
def test_every_mask_loss_trains_all_of_the_model(name: str, queries: str) -> None:
    objective = build_objective({"name": name}, SupervisionSection())
    model = QuerySegmenter(
        in_channels=3, hidden_channels=8, num_layers=1, query_channels=8, heads=2, num_classes=2,
        decoder_layers=1, num_queries=6, queries=queries, encoder="sage", denoising_groups=1,
    ).train()  # fmt: skip
    terms = objective(model(graphs()), graphs())
    extra = {"embedding", "influence"} if queries == "influencer" else set()
    assert {"deep_supervision", "denoising", "quality", *extra} <= set(terms)
    terms.total.backward()
    without = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    unused = {"follower", "influencer"} if queries == "learned" else set()
    assert {name for name in without if name.split(".")[0] not in unused} == set()


def test_weights_of_the_supervision_reach_the_total() -> None:
    model = QuerySegmenter(in_channels=3, hidden_channels=8, num_layers=1, encoder="sage").train()
    outputs = model(graphs())
    plain = build_objective({"name": "mask-influencer"}, SupervisionSection())(outputs, graphs())
    for name in ("deep_supervision", "embedding", "influence"):
        before = getattr(SupervisionSection(), f"{name}_weight")
        section = SupervisionSection(**{f"{name}_weight": before + 2.0})
        terms = build_objective({"name": "mask-influencer"}, section)(outputs, graphs())
        expected = plain.total + 2 * plain[name]
        assert terms.total.item() == pytest.approx(expected.item(), rel=1e-5)


def test_what_the_machine_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    with pytest.raises(InputError, match="accelerator gpu"):
        pick_device("gpu")
    assert resolve_precision("auto", "cpu") == "32-true"
    with pytest.raises(InputError, match="16-mixed needs a GPU"):
        resolve_precision("16-mixed", "cpu")
