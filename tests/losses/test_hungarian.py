"""The Hungarian losses against a loop over pairs, the matching, and costs that are not finite."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.assignment import assign_queries
from geoinfluencer.losses.hungarian import HungarianLoss
from geoinfluencer.losses.hungarian_ce import HungarianCELoss
from geoinfluencer.losses.mask_costs import mask_costs
from geoinfluencer.losses.query_targets import query_targets
from tests.losses.query_batches import graphs_of, plain_hungarian, ragged_batch


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_values_and_gradients_are_those_of_a_loop_over_pairs(seed: int) -> None:
    batch = ragged_batch(seed)
    learned = ("logits", "quality_logits", "class_logits")
    weights = {"mask": 5.0, "dice": 5.0, "classification": 2.0, "quality": 2.0}

    def leaves() -> dict[str, Tensor]:
        own = {name: batch[name].clone().requires_grad_() for name in learned}
        return {**batch, **own}

    fast, plain = leaves(), leaves()
    terms = HungarianLoss()(**fast)
    expected = [plain_hungarian(part) for part in graphs_of(plain)]
    for name, value in terms.items():
        mean = torch.stack([part[name] for part in expected]).mean()
        torch.testing.assert_close(value, mean, msg=name)
    terms.total.backward()
    sum(weights[n] * part[n] / 4 for part in expected for n in weights).backward()
    for name in learned:
        torch.testing.assert_close(fast[name].grad, plain[name].grad, msg=name)


def test_gradients_of_the_costs() -> None:
    batch = ragged_batch()
    there = torch.isfinite(batch["logits"])

    def costs(values: Tensor) -> tuple[Tensor, ...]:
        logits = batch["logits"].masked_scatter(there, values)
        found = mask_costs(query_targets(**{**batch, "logits": logits}))
        return found.bce, found.dice

    values = batch["logits"][there].requires_grad_()
    assert torch.autograd.gradcheck(costs, (values,), fast_mode=True)


def test_gradients_after_a_matching_that_leaves_most_columns_out() -> None:
    # the backward pass has a way of its own for these
    logits = torch.randn(10, 9, dtype=torch.float64, requires_grad=True)
    instance = torch.arange(10) % 3 - 1

    def cost(values: Tensor) -> Tensor:
        found = mask_costs(query_targets(values, instance))
        return found.bce[0, 4] + found.dice[1, 7]

    assert torch.autograd.gradcheck(cost, (logits,))


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_matching_is_the_best_of_all(seed: int) -> None:
    cost = torch.rand(7, 4, generator=torch.Generator().manual_seed(seed))
    cost[:3, 3] = torch.nan  # the first graph has three queries: column 3 is not read
    match = assign_queries(cost, torch.tensor([0, 3, 7]), torch.tensor([3, 4]))
    for first, last, width in ((0, 3, 3), (3, 7, 4)):
        block = cost[first:last, :width]
        rows = torch.arange(last - first)
        best = min(
            float(block[rows, list(columns)].sum())
            for columns in itertools.permutations(range(width), last - first)
        )
        assert float(block[rows, match[first:last]].sum()) == pytest.approx(best)


def test_instances_beyond_the_queries_stay_unmatched() -> None:
    cost = torch.tensor([[5.0, 1.0], [1.0, 5.0], [2.0, 2.0]])
    match = assign_queries(cost, torch.tensor([0, 3]), torch.tensor([2]))
    assert match.tolist() == [1, 0, -1]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_cost_that_is_not_finite_names_itself_its_graph_and_the_pair(bad: float) -> None:
    cost = torch.zeros(4, 3)
    cost[3, 1] = bad
    with pytest.raises(InputError, match="dice of graph 1 has 1 of 6 .* instance 1 and query 1"):
        assign_queries(cost, torch.tensor([0, 2, 4]), torch.tensor([3, 3]), name="dice")


def test_logits_whose_cost_overflows_name_the_cost_and_the_graph() -> None:
    logits = torch.zeros(8, 3)
    logits[4:] = 3e38  # finite, but four of them are not
    instance = torch.tensor([0, 0, 1, -1] * 2)
    ptr = torch.tensor([0, 4, 8])
    with pytest.raises(InputError, match=r"mask cost \(binary cross entropy\) of graph 1 has"):
        HungarianLoss()(logits, instance, ptr=ptr)
    with pytest.raises(InputError, match="matching cost of graph 1 has"):
        HungarianLoss(check_finite=False)(logits, instance, ptr=ptr)


def test_the_right_answer_is_the_limit_zero_and_unclaimed_queries_say_no() -> None:
    instance = torch.arange(40) % 4 - 1
    logits = torch.where(instance[:, None] == torch.tensor([2, 9, 0, 9, 1]), 30.0, -30.0)
    quality = torch.where(torch.tensor([True, False, True, False, True]), 30.0, -30.0)
    terms = HungarianLoss()(logits, instance, quality_logits=quality)
    assert float(terms.total) < 1e-6
    wrong = HungarianLoss()(logits, instance, quality_logits=-quality)
    assert float(wrong["quality"]) == pytest.approx(30.0)


def test_no_object_weight_is_that_of_a_weighted_mean() -> None:
    instance, logits = torch.zeros(4, dtype=torch.int64), torch.randn(4, 11)
    for weight, expected in ((0.1, 1 * 5 / 2), (1.0, 10 * 5 / 11)):
        # the query with the mask is right, the ten others are wrong by 5
        logits[:, 0], logits[:, 1:] = 20.0, -20.0
        quality = torch.full((11,), 5.0)
        terms = HungarianLoss(no_object_weight=weight)(logits, instance, quality_logits=quality)
        assert float(terms["quality"]) == pytest.approx(expected, abs=0.02)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_hungarian_ce_is_the_cross_entropy_of_the_matched_queries(seed: int) -> None:
    batch = ragged_batch(seed)
    attraction, background = [], []
    for part in graphs_of(batch):
        x, w = part["logits"], part["node_weight"]
        log_p = torch.cat([x, x.new_zeros(x.shape[0], 1)], 1).log_softmax(1)
        ids = [int(i) for i in part["instance"].unique() if i >= 0]
        lack = [-(w @ log_p.mul(part["instance"][:, None] == i)) for i in ids]
        mass = [w[part["instance"] == i].sum() for i in ids]
        cost = torch.stack([a / b for a, b in zip(lack, mass, strict=True)] or [x.new_zeros(5)])
        rows, columns = linear_sum_assignment(cost[: len(ids), :-1].numpy())
        own = torch.full((len(ids),), x.shape[1])  # without a query: void
        own[rows] = torch.as_tensor(columns)
        attraction.append(float(cost[range(len(ids)), own].mean()) if ids else 0.0)
        free = part["instance"] < 0
        background.append(float(-(w * log_p[:, -1])[free].sum() / w[free].sum()))
    terms = HungarianCELoss()(**batch)
    assert float(terms["attraction"]) == pytest.approx(sum(attraction) / 4)
    assert float(terms["background"]) == pytest.approx(sum(background) / 4)


def test_both_hungarian_losses_read_the_same_void() -> None:
    logits = torch.randn(20, 6, dtype=torch.float64)
    instance = torch.full((20,), -1)
    terms = HungarianCELoss()(logits, instance)
    _, log_void = ops.query_profiles(logits, instance, 0)
    assert float(terms["background"]) == pytest.approx(float(-log_void.mean()))
