"""The transport plan: its sums, its limit, what changes nothing, and existence on a toy problem."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from geoinfluencer.losses.assignment import assign_queries
from geoinfluencer.losses.mask_costs import mask_costs
from geoinfluencer.losses.object_terms import matched_pairs
from geoinfluencer.losses.query_targets import query_targets
from geoinfluencer.losses.sinkhorn import SinkhornLoss
from geoinfluencer.losses.transport import sinkhorn_plan
from tests.losses.query_batches import ragged_batch


def planted(seed: int, instances: int, queries: int) -> Tensor:
    """Points near the targets, the rest anywhere: an easy assignment."""
    draw = torch.Generator().manual_seed(seed)
    target = torch.rand(instances, 2, generator=draw)
    near = target + 0.01 * torch.randn(instances, 2, generator=draw)
    point = torch.cat([near, torch.rand(queries - instances, 2, generator=draw)])
    return torch.cdist(target, point[torch.randperm(queries, generator=draw)])


def f1(found: Tensor, truth: Tensor) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def test_existence_and_assignment_are_those_of_the_matching_on_easy_problems() -> None:
    # over seeds: a single draw may hold a tie, which the plan shares and the matching does not
    existence, agreement = [], []
    rows, queries = torch.tensor([0, 20]), torch.tensor([60])
    for seed in range(20):
        cost = planted(seed, 20, 60)
        matched = matched_pairs(assign_queries(cost, rows, queries), 60) > 0
        plan = sinkhorn_plan(cost, rows, queries, tau=0.01)
        existence.append(f1(plan.sum(0) > 0.5, matched.any(0)))
        same = plan.argmax(1) == matched.int().argmax(1)
        agreement.append(float(same.float().mean()))
    assert sum(existence) / 20 >= 0.98
    assert sum(agreement) / 20 >= 0.98


def test_plan_tends_to_the_matching_and_its_cost_to_the_least() -> None:
    cost = torch.rand(2, 8, 20, generator=torch.Generator().manual_seed(0)).view(16, 20)
    rows, queries = torch.tensor([0, 8, 16]), torch.tensor([20, 20])
    match = assign_queries(cost, rows, queries)
    least = float(cost.gather(1, match[:, None]).sum())
    excess = [
        float((sinkhorn_plan(cost, rows, queries, tau=tau, iterations=400) * cost).sum()) - least
        for tau in (0.3, 0.1, 0.03, 0.01)
    ]
    assert excess == sorted(excess, reverse=True)
    assert excess[-1] < 0.05 * least


@settings(max_examples=8)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    relative_to=st.sampled_from(["mean", "spread"]),
)
def test_sums_graph_by_graph_and_padding(
    sizes: list[tuple[int, int]], seed: int, relative_to: str
) -> None:
    rows = torch.tensor([0, *(k for k, _ in sizes)]).cumsum(0)
    queries = torch.tensor([m for _, m in sizes])
    width = 8
    draw = torch.Generator().manual_seed(seed)
    cost = torch.rand(int(rows[-1]), width, generator=draw, dtype=torch.float64) + 0.1
    graph = torch.repeat_interleave(torch.arange(len(sizes)), rows.diff())
    beyond = torch.arange(width) >= queries[graph][:, None]
    options = {"tau": 0.5, "iterations": 150, "relative_to": relative_to}
    plan = sinkhorn_plan(cost, rows, queries, **options)
    for padding in (torch.nan, torch.inf, 1e30):
        padded = cost.masked_fill(beyond, padding)
        torch.testing.assert_close(sinkhorn_plan(padded, rows, queries, **options), plan)
    assert (plan[beyond] == 0).all() and (plan >= 0).all()
    for index, (instances, count) in enumerate(sizes):
        block = plan[graph == index]
        least = torch.ones(instances if instances <= count else 0, dtype=torch.float64)
        torch.testing.assert_close(block.sum(1)[: least.shape[0]], least)
        assert (block.sum(1) <= 1 + 1e-9).all()
        if relative_to == "mean":  # warm enough to converge
            assert (block.sum(0) <= 1 + 1e-3).all()
            assert float(block.sum()) == pytest.approx(min(instances, count), rel=1e-3)
        alone = sinkhorn_plan(
            cost[graph == index],
            torch.tensor([0, instances]),
            queries[index : index + 1],
            **options,
        )
        torch.testing.assert_close(alone, block)


def test_a_dustbin_that_costs_every_query_the_same_is_none() -> None:
    cost = torch.rand(5, 9, dtype=torch.float64)
    rows, queries = torch.tensor([0, 5]), torch.tensor([9])
    free = sinkhorn_plan(cost, rows, queries, iterations=200)
    dear = sinkhorn_plan(cost, rows, queries, torch.full((1, 9), 7.0).double(), iterations=200)
    torch.testing.assert_close(dear, free)
    # and one that spares a single query takes it away from the instances
    uneven = torch.ones(1, 9).double()
    uneven[0, 4] = -1
    assert sinkhorn_plan(cost, rows, queries, uneven)[:, 4].sum() < 0.1 * free[:, 4].sum()


def test_plan_matches_copies_written_out() -> None:
    cost = torch.rand(3, 7, dtype=torch.float64)
    square = torch.cat([cost, torch.zeros(4, 7).double()])  # four rows of "no object"
    temperature = 0.2 * cost.mean()
    log_plan = -square / temperature
    for _ in range(500):
        log_plan = log_plan - log_plan.logsumexp(0, keepdim=True)
        log_plan = log_plan - log_plan.logsumexp(1, keepdim=True)
    plan = sinkhorn_plan(cost, torch.tensor([0, 3]), torch.tensor([7]), iterations=200)
    torch.testing.assert_close(plan, log_plan[:3].exp())


def test_existence_on_points_with_a_dustbin_that_stands_apart() -> None:
    # twenty points move to five targets and fifteen copies of a point outside of their square
    draw = torch.Generator().manual_seed(0)
    target, dustbin = torch.rand(5, 2, generator=draw), torch.tensor([[-1.0, -1.0]])
    point = torch.rand(20, 2, generator=draw).requires_grad_()
    rows, queries = torch.tensor([0, 5]), torch.tensor([20])
    optimizer = torch.optim.Adam([point], lr=0.1)
    for _ in range(50):
        cost, empty = torch.cdist(target, point), torch.cdist(dustbin, point)
        plan = sinkhorn_plan(cost.detach(), rows, queries, empty.detach(), tau=0.3)
        rest = (1 - plan.sum(0, keepdim=True)).clamp(min=0)
        optimizer.zero_grad()
        ((plan * cost).sum() + (rest * empty).sum()).backward()
        optimizer.step()
    cost, empty = torch.cdist(target, point.detach()), torch.cdist(dustbin, point.detach())
    matched = matched_pairs(assign_queries(cost, rows, queries), 20).bool().any(0)
    assert f1(cost.amin(0) < empty[0], matched) >= 0.9


def test_gradient_is_that_of_the_costs_under_a_plan_held_fixed() -> None:
    batch = ragged_batch()
    logits = batch["logits"].clone().requires_grad_()
    SinkhornLoss(quality_weight=0, classification_weight=0)(
        **{**batch, "logits": logits}
    ).total.backward()
    again = batch["logits"].clone().requires_grad_()
    targets = query_targets(**{**batch, "logits": again})
    costs = mask_costs(targets)
    plan = sinkhorn_plan(
        costs.pairs(5, 5, 0).detach(),
        targets.row_ptr,
        targets.query_ptr.diff(),
        tau=0.05,
        relative_to="spread",
    )
    pairs = (plan * costs.pairs(5, 5, 0)).sum(1)
    targets.mean_over_instances(pairs).backward()
    torch.testing.assert_close(logits.grad, again.grad)
