"""Power-SoftMin and the powered product: their formulas, limits and known weaknesses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from geoinfluencer.losses.gm_product import GMProductLoss
from geoinfluencer.losses.power_softmin import PowerSoftMinLoss, soft_minima
from geoinfluencer.losses.query_targets import query_targets
from tests.losses.query_batches import graphs_of, ragged_batch


def dice_costs(part: dict[str, Tensor]) -> Tensor:
    """Dice (K, M) of the exclusive masks of one graph by the book."""
    x, w = part["logits"], part["node_weight"]
    mask = w[:, None] * torch.cat([x, x.new_zeros(x.shape[0], 1)], 1).softmax(1)[:, :-1]
    own = [part["instance"] == i for i in part["instance"].unique() if i >= 0]
    dice = [2 * mask[k].sum(0) / (w[k].sum() + mask.sum(0)) for k in own]
    return 1 - torch.stack(dice)


def relative_costs(part: dict[str, Tensor]) -> Tensor:
    """C (K, M) of one graph by the book."""
    x, w = part["logits"], part["node_weight"]
    log_p = torch.cat([x, x.new_zeros(x.shape[0], 1)], 1).log_softmax(1)[:, :-1]
    own = [part["instance"] == i for i in part["instance"].unique() if i >= 0]
    lack = [-(w[k, None] * log_p[k]).sum(0) / w[k].sum() for k in own]
    return torch.stack(lack) / math.log(x.shape[1] + 1)


@pytest.mark.parametrize("graph", [0, 1, 2])
def test_power_softmin_is_its_formula(graph: int) -> None:
    part = graphs_of(ragged_batch(2))[graph]
    cost = relative_costs(part)
    temperature = 0.13 * cost.mean()
    terms = PowerSoftMinLoss(power=2.5, tau=0.13)(**part)
    row = ((-cost / temperature).softmax(1) * cost).sum(1)
    column = ((-cost / temperature).softmax(0) * cost).sum(0)
    torch.testing.assert_close(terms["coverage"], (row**2.5).mean())
    torch.testing.assert_close(terms["precision"], (column**2.5).mean())


@pytest.mark.parametrize("graph", [0, 1, 2])
def test_gm_product_is_its_formula(graph: int) -> None:
    part = graphs_of(ragged_batch(2))[graph]
    cost = dice_costs(part)
    terms = GMProductLoss(power=3.0)(**part)
    rows, columns = cost.shape
    tolerance = {"rtol": 1e-4, "atol": 0.0}  # the floor of 1e-6
    expected = (cost.prod(1) ** (3 / columns)).mean()
    torch.testing.assert_close(terms["coverage"], expected, **tolerance)
    expected = (cost.prod(0) ** (3 / rows)).mean()
    torch.testing.assert_close(terms["precision"], expected, **tolerance)


def test_gradients_of_the_soft_minima() -> None:
    batch = ragged_batch()
    targets = query_targets(**batch)
    exists = targets.exists[targets.row_graph]
    temperature = torch.tensor([0.1, 0.2, 0.3, 0.4]).double()

    def minima(cost: Tensor) -> tuple[Tensor, ...]:
        return soft_minima(torch.where(exists, cost, 0), temperature, targets)[:2]

    cost = (torch.rand(exists.shape).double() + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(minima, (cost,))


def test_soft_minimum_pushes_away_what_lies_above_it() -> None:
    targets = query_targets(torch.zeros(2, 3), torch.tensor([0, 0]))
    cost = torch.tensor([[0.1, 0.2, 0.5]], requires_grad=True)
    soft_minima(cost, torch.tensor([0.1]), targets)[0].sum().backward()
    assert cost.grad is not None
    assert cost.grad[0, 0] > 0 > cost.grad[0, 2]


def test_gm_product_pulls_all_queries_alike_at_the_start_and_one_when_it_is_near() -> None:
    instance = torch.arange(30) % 3
    logits = torch.zeros(30, 20, dtype=torch.float64, requires_grad=True)
    GMProductLoss(background_weight=0, precision_weight=0)(logits, instance).total.backward()
    pull = logits.grad
    assert pull is not None
    torch.testing.assert_close(pull, pull[:, :1].expand_as(pull))
    near = torch.zeros(30, 20, dtype=torch.float64)
    near[instance == 0, 4] = 6.0
    near.requires_grad_()
    GMProductLoss(background_weight=0, precision_weight=0)(near, instance).total.backward()
    assert near.grad is not None
    assert near.grad[instance == 0].mean(0).argmin() == 4


@pytest.mark.parametrize(("make", "last"), [(PowerSoftMinLoss, 1e-5), (GMProductLoss, 1e-3)])
def test_the_loss_falls_to_next_to_nothing_as_the_correct_answer_grows(
    make: type, last: float
) -> None:
    instance = torch.arange(60) % 6 - 1
    logits = torch.where(instance[:, None] == torch.arange(5), 1.0, -1.0).double()
    values = [float(make()(logits * scale, instance).total) for scale in (1, 4, 16, 64)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < last  # softmin and floor keep it from 0
