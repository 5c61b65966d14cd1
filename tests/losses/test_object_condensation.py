"""ObjectCondensationLoss against the reference package and against dense formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.losses import ObjectCondensationLoss
from geoinfluencer.losses import charges as charges_module


def sample(size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = 0.6 * torch.randn(size, 3, generator=generator, dtype=torch.float64)
    beta = 0.02 + 0.95 * torch.rand(size, generator=generator, dtype=torch.float64)
    instance = torch.randint(-1, 6, (size,), generator=generator)
    return x, beta, instance


def dense_terms(x: Tensor, beta: Tensor, instance: Tensor, q_min: float) -> dict[str, Tensor]:
    """One graph, with loops over instances and whole columns."""
    charge = torch.atanh(beta) ** 2 + q_min
    pull, push, coward = [], [], []
    for k in sorted(set(instance.tolist()) - {-1}):
        member = instance == k
        alpha = torch.where(member, beta, -1.0).argmax()
        distance = (x - x[alpha]).square().sum(-1)
        force = charge * charge[alpha]
        pull.append((force * distance)[member].mean())
        outside = ~member
        push.append((force[outside] * (1 - distance[outside].sqrt()).clamp(min=0)).mean())
        coward.append(1 - beta[alpha])
    return {
        "attraction": torch.stack(pull).mean(),
        "repulsion": torch.stack(push).mean(),
        "coward": torch.stack(coward).mean(),
        "noise": beta[instance < 0].mean(),
    }


def test_values_and_gradients_equal_the_object_condensation_package() -> None:
    package = pytest.importorskip(
        "object_condensation.pytorch.losses",
        reason="the reference package object-condensation is not installed",
    )
    x, beta, instance = sample()
    weight = torch.rand(60, dtype=torch.float64) + 0.5
    for value in (x, beta):
        value.requires_grad_()
    reference = package.condensation_loss(
        beta=beta, x=x, object_id=instance + 1, weights=weight, q_min=0.3
    )
    ours = ObjectCondensationLoss(q_min=0.3)(x, beta, instance, node_weight=weight)
    names = {
        "attraction": "attractive", "repulsion": "repulsive", "coward": "coward", "noise": "noise",
    }  # fmt: skip
    for name, theirs in names.items():
        # its denominators carry + 1e-9, its cdist may cancel
        torch.testing.assert_close(ours[name], reference[theirs], rtol=1e-7, atol=1e-9)
        for mine, other in zip(
            torch.autograd.grad(ours[name], (x, beta), retain_graph=True, allow_unused=True),
            torch.autograd.grad(reference[theirs], (x, beta), retain_graph=True, allow_unused=True),
            strict=True,
        ):
            expected = torch.zeros(()) if other is None else other
            mine = torch.zeros(()) if mine is None else mine
            torch.testing.assert_close(mine + 0 * expected, expected + 0 * mine, atol=1e-7, rtol=0)


@pytest.mark.parametrize("pairs_at_once", [2_000_000, 7])
def test_values_and_gradients_equal_dense_formulas(
    monkeypatch: pytest.MonkeyPatch, pairs_at_once: int
) -> None:
    monkeypatch.setattr(charges_module, "PAIRS_AT_ONCE", pairs_at_once)
    one, two = sample(), sample(size=35, seed=5)
    x, beta, instance = (torch.cat(pair) for pair in zip(one, two, strict=True))
    x.requires_grad_(), beta.requires_grad_()
    batch = torch.repeat_interleave(torch.arange(2), torch.tensor([60, 35]))
    ours = ObjectCondensationLoss()(x, beta, instance, batch)
    first = dense_terms(x[:60], beta[:60], instance[:60], 0.1)
    second = dense_terms(x[60:], beta[60:], instance[60:], 0.1)
    for name, value in ours.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)
    dense_total = sum((first[name] + second[name]) / 2 for name in ours)
    for mine, expected in zip(
        torch.autograd.grad(ours.total, (x, beta)),
        torch.autograd.grad(dense_total, (x, beta)),
        strict=True,
    ):
        torch.testing.assert_close(mine, expected)


def test_beta_of_one_and_graphs_without_instances_stay_finite() -> None:
    x = torch.rand(6, 2, requires_grad=True)
    beta = torch.tensor([1.0, 1.0, 0.0, 0.5, 1.0, 0.2], requires_grad=True)
    loss = ObjectCondensationLoss()
    for instance in ([0, 0, 1, 1, -1, -1], [-1] * 6, [0] * 6):
        total = loss(x, beta, torch.tensor(instance), ptr=torch.tensor([0, 4, 4, 6])).total
        total.backward()
        assert torch.isfinite(total)
        assert bool(torch.isfinite(x.grad).all()) and bool(torch.isfinite(beta.grad).all())
    empty = loss(x[:0], beta[:0], torch.zeros(0, dtype=torch.int64)).total
    assert empty == 0 and empty.requires_grad


def test_equal_betas_take_the_first_node() -> None:
    x = torch.tensor([[0.0], [2.0], [4.0]], dtype=torch.float64)
    beta = torch.full((3,), 0.5, dtype=torch.float64)
    charge = torch.atanh(beta[0]) ** 2 + 0.1
    terms = ObjectCondensationLoss()(x, beta, torch.zeros(3, dtype=torch.int64))
    torch.testing.assert_close(terms["attraction"], charge**2 * (0 + 4 + 16) / 3)


def test_ignored_nodes_are_left_out_and_bad_values_are_named() -> None:
    x, beta, instance = sample()
    ignore = torch.rand(60) < 0.3
    loss = ObjectCondensationLoss()
    ignored = loss(x, beta, instance, ignore=ignore)
    removed = loss(x[~ignore], beta[~ignore], instance[~ignore])
    for name, value in ignored.items():
        torch.testing.assert_close(value, removed[name])
    beta[4] = float("nan")
    with pytest.raises(InputError, match="^beta has 1 of 60 values"):
        loss(x, beta, instance)
    with pytest.raises(InputError, match="q_min"):
        ObjectCondensationLoss(q_min=0.0)
