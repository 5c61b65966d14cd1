from __future__ import annotations

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses.denoising import DenoisingLoss, denoising_error

# two graphs of 3 and 2 nodes with 2 and 1 instances
TARGET = torch.tensor([0, 1, -1, 0, 0])
PTR, QUERY_PTR = torch.tensor([0, 3, 5]), torch.tensor([0, 2, 3])


def logits(groups: int = 2) -> torch.Tensor:
    x = torch.randn(groups, 5, 2, generator=torch.Generator().manual_seed(0))
    x[:, 3:, 1] = -torch.inf
    return x.requires_grad_()


def correct(confidence: float) -> torch.Tensor:
    x = torch.full((1, 5, 2), -confidence)
    for i, column in enumerate(TARGET.tolist()):
        if column >= 0:
            x[0, i, column] = confidence
    x[:, 3:, 1] = -torch.inf
    return x


def test_softmax_is_the_cross_entropy_with_void() -> None:
    x = logits(1).detach()
    p = torch.cat([x[0], torch.zeros(5, 1)], 1).log_softmax(1)
    expected = -torch.stack([p[0, 0], p[1, 1], p[2, 2], p[3, 0], p[4, 0]])
    torch.testing.assert_close(denoising_error(x, TARGET, activation="softmax"), expected)


def test_sigmoid_is_the_mean_over_the_queries_that_exist() -> None:
    x = logits(1).detach()
    sign = torch.tensor([[-1.0, 1], [1, -1], [1, 1], [-1, 0], [-1, 0]])
    each = torch.where(torch.isfinite(x[0]), torch.nn.functional.softplus(sign * x[0]), 0)
    expected = each.sum(1) / torch.tensor([2, 2, 2, 1, 1])
    torch.testing.assert_close(denoising_error(x, TARGET, activation="sigmoid"), expected)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_it_falls_to_zero_at_the_truth_with_finite_gradients(activation: str) -> None:
    loss = DenoisingLoss(activation=activation)
    values = [loss(correct(c), TARGET, QUERY_PTR, ptr=PTR).total.item() for c in (1.0, 5.0, 20.0)]
    assert values[0] > values[1] > values[2] and values[2] < 1e-6
    x = logits()
    loss(x, TARGET, QUERY_PTR, ptr=PTR).total.backward()
    assert torch.isfinite(x.grad).all() and x.grad[:, :3].abs().min() > 0


def test_groups_and_graphs_count_the_same_and_ignored_nodes_not() -> None:
    x, loss = logits(), DenoisingLoss()
    whole = loss(x, TARGET, QUERY_PTR, ptr=PTR)["denoising"]
    groups = [loss(x[[g]], TARGET, QUERY_PTR, ptr=PTR)["denoising"] for g in (0, 1)]
    torch.testing.assert_close(whole, (groups[0] + groups[1]) / 2)
    first = loss(x[:, :3], TARGET[:3], QUERY_PTR[:2], ptr=PTR[:2])["denoising"]
    second = loss(x[:, 3:], TARGET[3:], QUERY_PTR[:2], ptr=torch.tensor([0, 2]))["denoising"]
    torch.testing.assert_close(whole, (first + second) / 2)
    ignore = torch.tensor([False] * 3 + [True] * 2)
    kept = loss(x, TARGET, QUERY_PTR, ptr=PTR, ignore=ignore)["denoising"]
    torch.testing.assert_close(kept, first)


def test_classes_are_those_of_most_nodes() -> None:
    y = torch.tensor([2, -1, 1, 0, 0])
    scores = torch.randn(2, 3, 4)
    terms = DenoisingLoss(class_weight=0.5)(
        logits(), TARGET, QUERY_PTR, ptr=PTR, class_logits=scores, y=y
    )
    p = scores.log_softmax(2)  # instance 1 has no class
    torch.testing.assert_close(terms["denoising_class"], -(p[:, 0, 2] + p[:, 2, 0]).mean() / 2)
    torch.testing.assert_close(terms.total, terms["denoising"] + 0.5 * terms["denoising_class"])


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="'tanh' is neither"):
        DenoisingLoss(activation="tanh")
    with pytest.raises(InputError, match=r"logits \(2, 5, 2\) and target \(4,\)"):
        DenoisingLoss()(logits(), TARGET[:4], QUERY_PTR)
