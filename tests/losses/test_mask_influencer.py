"""The infimum of the mask loss, its gradients, and that it treats graphs and labels alike."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.mask_influencer import Coupling, MaskInfluencerLoss
from geoinfluencer.losses.mask_terms import instance_mean
from geoinfluencer.losses.query_targets import query_targets

COUPLINGS = ["capacity", "none"]
both = pytest.mark.parametrize("coupling", COUPLINGS)


def confident(column: Tensor, width: int, logit: float) -> Tensor:
    """Logits (N, M) of nodes that are sure of a column; column ``width`` is void."""
    hot = torch.nn.functional.one_hot(column, width + 1)[:, :-1].to(torch.float64)
    return logit * (2 * hot - 1)


def total(coupling: Coupling, logits: Tensor, instance: Tensor, **options: Any) -> float:
    return float(MaskInfluencerLoss(coupling=coupling)(logits, instance, **options).total)


@both
def test_loss_falls_to_zero_as_the_right_answer_grows(coupling: Coupling) -> None:
    instance = torch.arange(60) % 6 - 1
    query = torch.tensor([9, 3, 0, 7, 1, 4])[instance + 1]  # 9 queries: column 9 is void
    values = [total(coupling, confident(query, 9, logit), instance) for logit in range(1, 40, 2)]
    assert all(low < high for high, low in itertools.pairwise(values))
    assert 0 <= values[-1] < 1e-12


@both
def test_nothing_but_a_correct_partition_is_near_zero(coupling: Coupling) -> None:
    """All 4^5 confident answers for two instances of two nodes and one of background."""
    answers = torch.cartesian_prod(*[torch.arange(4)] * 5)  # 3 queries and void
    instance = torch.tensor([0, 0, 1, 1, -1]).repeat(len(answers))
    targets = query_targets(
        confident(answers.flatten(), 3, 15.0),
        instance,
        ptr=5 * torch.arange(len(answers) + 1),
    )
    profile, void = ops.query_profiles(targets.logits, targets.row, targets.num_instances)
    void_profile = instance_mean(void, targets)
    attraction, _ = MaskInfluencerLoss(coupling=coupling).attraction(profile, void_profile, targets)
    value = attraction.view(-1, 2).mean(1) - void.view(-1, 5)[:, 4]
    a, b, background = answers[:, :2], answers[:, 2:4], answers[:, 4]
    whole = (a[:, 0] == a[:, 1]) & (b[:, 0] == b[:, 1])
    served = (a[:, 0] != 3) & (b[:, 0] != 3) & (a[:, 0] != b[:, 0])
    correct = whole & served & (background == 3)
    assert int(correct.sum()) == 6
    assert float(value[correct].max()) < 1e-4
    assert float(value[~correct].min()) > 1


@both
@settings(max_examples=25)
@given(
    st.integers(0, 2**31),
    st.integers(1, 5),
    st.integers(0, 3),
    st.floats(0.01, 30.0),
)
def test_wrong_answers_cost_more(
    coupling: Coupling, seed: int, instances: int, spare: int, logit: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    width = instances + spare + 1
    instance = torch.arange(12 * (instances + 1)) % (instances + 1) - 1
    right = torch.where(instance < 0, width, instance)
    best = total(coupling, confident(right, width, logit), instance)
    every_other = torch.arange(len(right)) // (instances + 1) % 2 == 0
    split = torch.where((instance == 0) & every_other, width - 1, right)
    wrong = {
        "one instance split": confident(split, width, logit),
        "background claimed": confident(torch.where(instance < 0, width - 1, right), width, logit),
        "random": logit * (2 * torch.rand(len(right), width, generator=generator).double() - 1),
    }
    # the privacy term of "none" favours void by 1e-5 where a logit of 0.02 tells queries apart
    if coupling == "capacity" or logit > 0.1:
        void = torch.where(right == 0, width, right)
        wrong["an instance left to void"] = confident(void, width, logit)
    if logit > 0.3:  # below it everything is nearly uniform, and so is every query
        wrong["all queries claim all"] = torch.full((len(right), width), logit).double()
    if instances > 1:
        merged = torch.where(instance == 1, 0, right)
        wrong["one query claims two"] = confident(merged, width, logit)
    assert best >= 0
    for name, logits in wrong.items():
        assert total(coupling, logits, instance) > best, name


@both
def test_all_claim_all_is_no_solution(coupling: Coupling) -> None:
    """What the published form falls for: 400 queries that all claim everything."""
    instance = torch.arange(110) % 11 - 1
    value = total(coupling, torch.full((110, 400), 30.0), instance)
    assert value > 30 + 0.5 * torch.tensor(400.0).log()


@pytest.mark.parametrize(("temperature", "cost"), [(1.0, 0.0), (0.5, 0.5), (0.25, 0.75)])
def test_spread_over_private_queries_ties_at_temperature_one_alone(
    temperature: float, cost: float
) -> None:
    # p = 1/2 on queries 0 and 1; instance 1 on query 2
    logits = torch.full((8, 3), -40.0, dtype=torch.float64)
    logits[:4, :2], logits[4:, 2] = 40.0, 40.0
    loss = MaskInfluencerLoss(coupling="none", temperature=temperature)
    terms = loss(logits, torch.tensor([0] * 4 + [1] * 4))
    expected = cost * float(torch.tensor(2.0).log()) / 2  # mean over two instances
    assert float(terms["attraction"]) == pytest.approx(expected, abs=1e-9)


@both
@pytest.mark.parametrize("logit", [5.0, 20.0, 60.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradient_at_a_confident_collision_is_of_order_one(
    coupling: Coupling, logit: float, dtype: torch.dtype
) -> None:
    instance = torch.arange(20) // 10
    logits = confident(torch.zeros(20, dtype=torch.int64), 6, logit).to(dtype).requires_grad_()
    MaskInfluencerLoss(coupling=coupling)(logits, instance)["attraction"].backward()
    assert logits.grad is not None
    assert float(logits.grad[:, 0].sum()) > 0.4  # away from the common query
    assert float(logits.grad[:, 1:].sum()) < -0.4  # towards the others


@both
def test_a_confident_collision_is_resolved(coupling: Coupling) -> None:
    generator = torch.Generator().manual_seed(0)
    instance = torch.arange(50) % 5 - 1
    logits = 1e-3 * torch.randn(50, 8, generator=generator)
    logits[:, 0] += 20
    logits.requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=0.5)
    loss = MaskInfluencerLoss(coupling=coupling)
    for _ in range(120):
        optimiser.zero_grad()
        value = loss(logits, instance).total
        value.backward()
        optimiser.step()
    assert float(value.detach()) < 0.05
    found = {int(logits[instance == k].sum(0).argmax()) for k in range(4)}
    assert len(found) == 4


@both
def test_order_of_queries_ids_and_nodes_does_not_matter(coupling: Coupling) -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(40, 7, generator=generator, dtype=torch.float64)
    instance = torch.randint(-1, 4, (40,), generator=generator)
    expected = total(coupling, logits, instance)
    order = torch.randperm(40, generator=generator)
    columns = torch.randperm(7, generator=generator)
    names = torch.tensor([-1, 900, 5, 44, 0])
    found = total(coupling, logits[order][:, columns], names[instance[order] + 1])
    assert found == pytest.approx(expected, rel=1e-9)


@both
def test_a_batch_is_the_mean_of_its_graphs(coupling: Coupling) -> None:
    """Same ids in all graphs, and other numbers of queries: nothing may leak between them."""
    generator = torch.Generator().manual_seed(4)
    widths, sizes = [5, 2, 4], [30, 20, 25]
    parts, single, gradients = [], [], []
    for width, size in zip(widths, sizes, strict=True):
        logits = torch.randn(size, width, generator=generator, dtype=torch.float64)
        extra = {
            "instance": torch.randint(-1, 3, (size,), generator=generator),
            "y": torch.randint(-1, 3, (size,), generator=generator),
            "quality_logits": torch.randn(width, generator=generator, dtype=torch.float64),
            "class_logits": torch.randn(width, 3, generator=generator, dtype=torch.float64),
        }
        parts.append((logits, extra))
        leaf = logits.clone().requires_grad_()
        terms = MaskInfluencerLoss(coupling=coupling)(leaf, **extra)
        terms.total.backward()
        single.append(terms)
        gradients.append(leaf.grad)
    pad = [
        torch.nn.functional.pad(x, (0, 5 - x.shape[1]), value=-torch.inf).requires_grad_()
        for x, _ in parts
    ]
    together = {name: torch.cat([extra[name] for _, extra in parts]) for name in parts[0][1]}
    ptr, query_ptr = torch.tensor([0, 30, 50, 75]), torch.tensor([0, 5, 7, 11])
    terms = MaskInfluencerLoss(coupling=coupling)(
        torch.cat(pad), **together, ptr=ptr, query_ptr=query_ptr
    )
    terms.total.backward()
    for name in terms:
        mean = sum(float(one[name].detach()) for one in single) / 3
        assert float(terms[name].detach()) == pytest.approx(mean, rel=1e-9), name
    for leaf, gradient, width in zip(pad, gradients, widths, strict=True):
        assert leaf.grad is not None and gradient is not None
        torch.testing.assert_close(leaf.grad[:, :width], gradient / 3)
        assert not leaf.grad[:, width:].any()


def test_gradient_of_the_closed_form() -> None:
    generator = torch.Generator().manual_seed(5)
    instance = torch.tensor([0, 0, 1, 1, 1, 2, -1, -1])
    # shares have no gradient, and so the overlap is not the derivative of its value
    loss = MaskInfluencerLoss(coupling="none", overlap_weight=0.0)
    for scale in (0.5, 8.0):  # both branches of ln(1 - q)
        logits = scale * torch.randn(8, 4, generator=generator, dtype=torch.float64)
        assert torch.autograd.gradcheck(lambda x: loss(x, instance).total, logits.requires_grad_())


def test_gradient_of_the_capacity_form_is_that_of_its_shares() -> None:
    generator = torch.Generator().manual_seed(6)
    logits = 3 * torch.randn(12, 5, generator=generator, dtype=torch.float64)
    logits.requires_grad_()
    instance = torch.arange(12) % 3
    loss = MaskInfluencerLoss()
    loss(logits, instance)["attraction"].backward()
    p = torch.cat([logits, logits.new_zeros(12, 1)], 1).softmax(1)[:, :-1].detach()
    assert logits.grad is not None
    w = torch.stack([(p - 12 * logits.grad)[instance == k] for k in range(3)])
    assert float(w.std(1).max()) < 1e-9  # one share for all nodes of an instance
    assert w.mean(1).sum(1).tolist() == pytest.approx([1.0] * 3, abs=1e-6)
    assert float(w.mean(1).sum(0).max()) < 1.15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coupling": "auction"}, "coupling 'auction' is none of capacity, none"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"privacy": 0.0}, "privacy is 0.0"),
        ({"iterations": 0}, "iterations is 0; it must be at least 1"),
        ({"max_nodes": 0}, "max_nodes is 0; it must be at least 1"),
        ({"quality_weight": -1.0}, "quality_weight"),
        ({"temperature_start": 0.1, "coupling": "none"}, "temperatures run from 0.1 to 0.5"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("quality_weight", "quality")):
        MaskInfluencerLoss(**options)
