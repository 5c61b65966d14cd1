from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from geoinfluencer.compare.laboratory import SIZES, Size, free_problem, optimise, recovered
from geoinfluencer.losses.registry import MASK_LOSSES

Known = dict[str, type[nn.Module]]


def recovered_slowly(logits: torch.Tensor, instance: torch.Tensor) -> float:
    """The definition, instance by instance and query by query."""
    probability = torch.cat([logits, torch.zeros(len(logits), 1)], 1)
    claim = probability.argmax(1)
    found = []
    for k in sorted(set(instance[instance >= 0].tolist())):
        mine = instance == k
        ious = []
        for m in range(logits.shape[1]):
            theirs = claim == m
            ious.append(float((mine & theirs).sum() / (mine | theirs).sum()))
        found.append(max(ious) > 0.5)
    return sum(found) / len(found)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 6))
def test_recovered_is_its_definition(seed: int, instances: int, queries: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    instance = torch.randint(-1, instances, (25,), generator=generator)
    instance[0] = instances - 1
    logits = torch.randn(25, queries, generator=generator)
    aligned = (instance >= 0) & (torch.rand(25, generator=generator) < 0.7)
    logits[aligned, instance[aligned] % queries] += 3.0
    assert recovered(logits, instance) == pytest.approx(recovered_slowly(logits, instance))


def test_half_is_not_enough_and_void_claims() -> None:
    instance = torch.tensor([0, 0, 0, 0, 1, 1])
    logits = torch.full((6, 2), -1.0)
    logits[:2, 0] = 1.0  # half of instance 0
    logits[4:, 1] = 1.0
    assert recovered(logits, instance) == 0.5
    logits[2, 0] = 1.0
    assert recovered(logits, instance) == 1.0


def test_the_problem_is_that_of_the_protocol() -> None:
    assert [(s.queries, s.instances, s.nodes) for s in SIZES] == [
        (20, 10, 400), (60, 10, 400), (100, 40, 1600), (400, 100, 4000),
    ]  # fmt: skip
    instance, left, right = free_problem(Size(400, 100), seed=3)
    again = free_problem(Size(400, 100), seed=3)
    assert all(torch.equal(a, b) for a, b in zip((instance, left, right), again, strict=True))
    assert not torch.equal(instance, free_problem(Size(400, 100), seed=4)[0])
    assert left.shape == (4000, 32) and right.shape == (400, 32)
    assert float(left.std()) == pytest.approx(0.1, rel=0.02) and abs(float(left.mean())) < 2e-3
    counts = torch.bincount(instance + 1, minlength=101)
    assert len(counts) == 101 and int(counts.min()) > 15 and int(counts.max()) < 70


def test_a_perfect_loss_recovers_all_and_the_steps_are_counted(known: Known) -> None:
    instance, left, right = free_problem(Size(12, 5), seed=0)
    before = left.clone()
    trace = optimise(known["assigned"](), instance, left, right, steps=30)
    assert torch.equal(left, before)  # the next loss starts from the same
    assert trace.steps == 30 and len(trace.recovered) == 31 and trace.recovered[-1] == 1.0
    first = trace.steps_to_99
    assert first is not None and trace.recovered[first] >= 0.99
    assert all(share < 0.99 for share in trace.recovered[:first])
    assert 0 < trace.seconds[1] < trace.seconds[-1] and trace.other_seconds > 0


def test_a_loss_that_wants_nothing_recovers_nothing(known: Known) -> None:
    trace = optimise(known["idle"](), *free_problem(Size(12, 5), seed=0), steps=5)
    assert trace.steps_to_99 is None and trace.recovered[-1] < 0.5


def test_a_loss_that_gives_up_is_said_so(known: Known) -> None:
    trace = optimise(known["assigned"](fail_at=3), *free_problem(Size(12, 5), seed=0), steps=10)
    assert trace.steps == 3 and len(trace.recovered) == 4
    assert trace.failure.startswith("step 3: logits has")


@pytest.mark.parametrize("size", SIZES[:3], ids=lambda size: size.words)
def test_mask_influencer_is_as_good_as_matching(size: Size) -> None:
    """At most three times the steps of matching on the same log profiles, plus one."""
    problem = free_problem(size, seed=0)
    ours = optimise(MASK_LOSSES["mask-influencer"](), *problem, steps=60)
    matched = optimise(MASK_LOSSES["hungarian-ce"](), *problem, steps=60)
    assert ours.recovered[-1] >= 0.99 and matched.recovered[-1] >= 0.99
    assert ours.steps_to_99 is not None and matched.steps_to_99 is not None
    assert ours.steps_to_99 <= 3 * matched.steps_to_99 + 1


def test_the_published_form_ends_below_what_it_reaches() -> None:
    """Its lowest value is where every query claims everything: it comes near and leaves again."""
    problem = free_problem(Size(100, 40), seed=0)
    trace = optimise(MASK_LOSSES["published-mask-influencer"](), *problem, steps=400)
    assert trace.recovered[-1] < 0.9
