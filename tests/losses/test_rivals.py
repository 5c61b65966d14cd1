"""What every loss on query logits must do: graphs, padding, weights, edges, bad input."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from geoinfluencer.errors import InputError
from geoinfluencer.losses.gm_product import GMProductLoss
from geoinfluencer.losses.hungarian import HungarianLoss
from geoinfluencer.losses.hungarian_ce import HungarianCELoss
from geoinfluencer.losses.power_softmin import PowerSoftMinLoss
from geoinfluencer.losses.published_mask import PublishedMaskInfluencerLoss
from geoinfluencer.losses.sinkhorn import SinkhornLoss
from geoinfluencer.losses.sinkhorn_ce import SinkhornCELoss
from tests.losses.query_batches import graphs_of, ragged_batch

RIVALS: list[Callable[[], nn.Module]] = [
    HungarianLoss,
    HungarianCELoss,
    SinkhornLoss,
    SinkhornCELoss,
    PowerSoftMinLoss,
    GMProductLoss,
    PublishedMaskInfluencerLoss,
]
rivals = pytest.mark.parametrize("make", RIVALS, ids=lambda make: make.__name__)


@rivals
def test_a_batch_is_the_mean_of_its_graphs(make: Callable[[], nn.Module]) -> None:
    # ids repeat between the graphs, and so do columns: nothing may mix
    batch = ragged_batch()
    loss = make()
    together = loss(**batch)
    alone = [loss(**part) for part in graphs_of(batch)]
    for name, value in together.items():
        expected = sum(float(terms[name]) for terms in alone) / len(alone)
        assert float(value) == pytest.approx(expected, rel=1e-9), name


@rivals
def test_padding_columns_change_neither_values_nor_gradients(
    make: Callable[[], nn.Module],
) -> None:
    batch = ragged_batch()
    wide = dict(batch)
    wide["logits"] = torch.nn.functional.pad(batch["logits"], (0, 3), value=-torch.inf)
    gradients = []
    for given_batch in (batch, wide):
        logits = given_batch["logits"].clone().requires_grad_()
        terms = make()(**{**given_batch, "logits": logits})
        terms.total.backward()
        assert logits.grad is not None and torch.isfinite(logits.grad).all()
        gradients.append((terms.detached(), logits.grad[:, :6]))
    for name, value in gradients[0][0].items():
        torch.testing.assert_close(gradients[1][0][name], value)
    torch.testing.assert_close(gradients[1][1], gradients[0][1])


@rivals
@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_the_order_of_queries_and_the_names_of_instances_do_not_matter(
    make: Callable[[], nn.Module], seed: int
) -> None:
    part = graphs_of(ragged_batch(seed))[0]
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    mixed = dict(part)
    mixed["logits"] = part["logits"][:, order]
    mixed["quality_logits"] = part["quality_logits"][order]
    mixed["class_logits"] = part["class_logits"][order]
    mixed["instance"] = torch.where(part["instance"] >= 0, 100 - part["instance"], -1)
    first, second = make()(**part), make()(**mixed)
    for name, value in first.items():
        torch.testing.assert_close(second[name], value)


@rivals
def test_ignored_nodes_are_as_if_not_there(make: Callable[[], nn.Module]) -> None:
    part = graphs_of(ragged_batch())[0]
    ignore = torch.zeros(12, dtype=torch.bool)
    ignore[torch.tensor([1, 4, 5])] = True
    per_node = ("logits", "instance", "y", "node_weight")
    short = {name: value[~ignore] if name in per_node else value for name, value in part.items()}
    full = make()(**part, ignore=ignore)
    for name, value in make()(**short).items():
        torch.testing.assert_close(full[name], value)


@rivals
def test_a_weight_counts_a_node_so_many_times(make: Callable[[], nn.Module]) -> None:
    part = graphs_of(ragged_batch())[0]
    times = torch.tensor([1, 3, 2] * 4)
    per_node = ("logits", "instance", "y")
    repeated = {
        name: value.repeat_interleave(times, 0) if name in per_node else value
        for name, value in part.items()
        if name != "node_weight"
    }
    part["node_weight"] = times.to(torch.float64)
    weighted = make()(**part)
    for name, value in make()(**repeated).items():
        torch.testing.assert_close(weighted[name], value)


@rivals
@pytest.mark.parametrize("case", ["no instances", "no nodes", "no queries", "one of each"])
def test_edges_are_finite_and_attached_to_the_graph(
    make: Callable[[], nn.Module], case: str
) -> None:
    nodes, queries = {"no nodes": (0, 3), "no queries": (6, 0), "one of each": (1, 1)}.get(
        case, (6, 3)
    )
    logits = torch.randn(nodes, queries, requires_grad=True)
    quality = torch.zeros(queries, requires_grad=True)
    instance = torch.full((nodes,), -1 if case == "no instances" else 0)
    total = make()(logits, instance, quality_logits=quality).total
    total.backward()
    assert torch.isfinite(total)
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
    assert quality.grad is not None and torch.isfinite(quality.grad).all()


@rivals
@pytest.mark.parametrize("scale", [1e-6, 1.0, 60.0, 1e4])
def test_extreme_logits_stay_finite_in_half_and_single_precision(
    make: Callable[[], nn.Module], scale: float
) -> None:
    half = torch.float16 if scale < 1e3 else torch.bfloat16  # cubes have gradients beyond 65504
    for dtype in (half, torch.float32):
        logits = (torch.randn(30, 8) * scale).to(dtype).requires_grad_()
        instance = torch.arange(30) % 5 - 1
        total = make()(logits, instance).total
        total.backward()
        assert total.dtype == torch.float32 and torch.isfinite(total)
        assert logits.grad is not None and torch.isfinite(logits.grad).all()


@rivals
def test_half_of_the_points_are_drawn_and_no_instance_is_lost(
    make: Callable[[], nn.Module],
) -> None:
    # far apart in size: a uniform draw of 60 would lose the small one
    instance = torch.cat([torch.zeros(2000), torch.ones(3), -torch.ones(997)]).long()
    logits = torch.where(instance[:, None] == torch.arange(2), 3.0, -3.0)
    loss = make()
    loss.max_nodes = 60
    drawn = loss(logits, instance)
    every = make()(logits, instance)
    for name, value in every.items():
        torch.testing.assert_close(drawn[name], value, rtol=0.05, atol=1e-3, msg=name)


@rivals
def test_bad_input_is_named(make: Callable[[], nn.Module]) -> None:
    batch = ragged_batch()
    for name in ("logits", "quality_logits", "class_logits", "node_weight"):
        bad = {**batch, name: batch[name].clone()}
        bad[name].view(-1)[0] = torch.nan
        with pytest.raises(InputError, match=f"^{name} has 1 of"):
            make()(**bad)
    with pytest.raises(InputError, match="instance has shape"):
        make()(batch["logits"], batch["instance"][1:])


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (HungarianLoss, {"no_object_weight": -1.0}),
        (HungarianCELoss, {"background_weight": float("nan")}),
        (SinkhornLoss, {"tau": 0.0}),
        (SinkhornLoss, {"relative_to": "median"}),
        (PowerSoftMinLoss, {"power": -3.0}),
        (GMProductLoss, {"floor": 0.0}),
        (PublishedMaskInfluencerLoss, {"temperature": 0.0}),
    ],
)
def test_bad_settings_are_named(make: Callable[..., nn.Module], setting: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(setting))):
        make(**setting)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (HungarianCELoss, ["attraction", "background"]),
        (GMProductLoss, ["coverage", "precision", "background"]),
        (PublishedMaskInfluencerLoss, ["attraction", "repulsion", "background"]),
    ],
)
def test_gradients_of_the_mask_terms(make: Callable[[], nn.Module], names: list[str]) -> None:
    batch = ragged_batch()
    there = torch.isfinite(batch["logits"])

    def terms(values: Tensor) -> tuple[Tensor, ...]:
        logits = batch["logits"].masked_scatter(there, values)
        found = make()(**{**batch, "logits": logits})
        return tuple(found[name] for name in names)

    values = batch["logits"][there].requires_grad_()
    assert torch.autograd.gradcheck(terms, (values,), fast_mode=True)
