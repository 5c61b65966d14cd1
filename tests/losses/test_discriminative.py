"""DiscriminativeLoss against its formulas written with loops, and its known pitfalls."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from geoinfluencer.errors import InputError
from geoinfluencer.losses import DiscriminativeLoss


def loop_terms(x: Tensor, instance: Tensor) -> dict[str, Tensor]:
    ids = sorted(set(instance.tolist()) - {-1})
    means = {k: x[instance == k].mean(0) for k in ids}
    pull = [((x[instance == k] - means[k]).norm(dim=1) - 0.5).clamp(min=0) ** 2 for k in ids]
    push = [
        (3.0 - (means[a] - means[b]).norm()).clamp(min=0) ** 2
        for a, b in itertools.permutations(ids, 2)
    ]
    return {
        "attraction": torch.stack([p.mean() for p in pull]).mean(),
        "repulsion": torch.stack(push).sum() / (len(ids) * (len(ids) - 1)),
        "regularization": torch.stack([m.norm() for m in means.values()]).mean(),
    }


def sample(size: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(size, 3, generator=generator, dtype=torch.float64)
    return x, torch.randint(-1, 5, (size,), generator=generator)


def test_terms_equal_the_formulas_per_graph() -> None:
    (x1, id1), (x2, id2) = sample(40, 0), sample(25, 1)
    x = torch.cat([x1, x2]).requires_grad_()
    terms = DiscriminativeLoss()(x, torch.cat([id1, id2]), ptr=torch.tensor([0, 40, 65]))
    one, two = loop_terms(x[:40], id1), loop_terms(x[40:], id2)
    expected = {name: (one[name] + two[name]) / 2 for name in one}
    for name, value in terms.items():
        torch.testing.assert_close(value, expected[name])
    weights = {"attraction": 1.0, "repulsion": 1.0, "regularization": 0.001}
    total = sum(weights[name] * value for name, value in expected.items())
    torch.testing.assert_close(terms.total, total)
    for mine, theirs in zip(
        torch.autograd.grad(terms.total, x), torch.autograd.grad(total, x), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(
    "instance", [[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1], [0, 0, -1, -1], [0, 0, 1, 1]]
)
def test_coincident_points_single_instances_and_background_stay_finite(instance: list[int]) -> None:
    x = torch.zeros(4, 2, requires_grad=True)
    terms = DiscriminativeLoss()(x, torch.tensor(instance), ptr=torch.tensor([0, 4, 4]))
    terms.total.backward()
    assert torch.isfinite(terms.total)
    assert x.grad is not None and bool(torch.isfinite(x.grad).all())
    several = len(set(instance) - {-1}) > 1
    assert (terms["repulsion"] > 0) == several


def test_one_instance_keeps_its_pull() -> None:
    x = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    terms = DiscriminativeLoss()(x, torch.tensor([3, 3]))
    assert terms["attraction"] == 2.25 and terms["repulsion"] == 0


def test_empty_input_is_an_attached_zero_and_bad_values_are_named() -> None:
    x = torch.zeros(0, 2, requires_grad=True)
    total = DiscriminativeLoss()(x, torch.zeros(0, dtype=torch.int64)).total
    assert total == 0 and total.requires_grad
    with pytest.raises(InputError, match="^x has 2 of 4 values"):
        DiscriminativeLoss()(
            torch.tensor([[1.0, 2.0], [torch.nan, torch.inf]]), torch.tensor([0, 1])
        )
