"""Instances of a batch as the mask losses see them, and what their arguments must be."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.losses.query_targets import query_targets


def test_instances_graph_by_graph() -> None:
    targets = query_targets(
        torch.zeros(9, 2),
        torch.tensor([7, 7, 3, -1, 3, 3, -5, 9, 9]),
        ptr=torch.tensor([0, 4, 4, 9]),
        node_weight=torch.tensor([1.0, 2, 1, 1, 1, 1, 1, 0, 0]),
        instance_weight=torch.tensor([2.0, 5, 1, 9, 3, 3, 9, 1, 1]),
        ignore=torch.tensor([False] * 5 + [True] + [False] * 3),
    )
    assert targets.row.tolist() == [1, 1, 0, -1, 2, -1, -1, -1, -1]
    assert targets.background.tolist() == [i in (3, 6) for i in range(9)]
    assert targets.weight.tolist() == [1, 2, 1, 1, 1, 0, 1, 0, 0]
    assert targets.row_ptr.tolist() == [0, 2, 2, 3]
    assert targets.row_graph.tolist() == [0, 0, 2]
    assert targets.size.tolist() == [1, 3, 1]
    assert targets.instance_weight.tolist() == [1, 4, 3]
    assert targets.query_ptr.tolist() == [0, 2, 4, 6]
    assert targets.num_instances == 3 and targets.num_graphs == 3


def test_queries_and_columns() -> None:
    logits = torch.zeros(4, 3)
    logits[2:, 1:] = -torch.inf
    targets = query_targets(
        logits,
        torch.tensor([0, 1, 0, -1]),
        batch=torch.tensor([0, 0, 1, 1]),
        query_ptr=torch.tensor([0, 3, 4]),
    )
    assert targets.exists.tolist() == [[True] * 3, [True, False, False]]
    assert targets.query_graph.tolist() == [0, 0, 0, 1]
    assert targets.query_column.tolist() == [0, 1, 2, 0]
    assert targets.query.tolist() == [[0, 1, 2], [0, 1, 2], [3, 3, 3]]


def test_means_are_per_graph_then_over_graphs() -> None:
    targets = query_targets(
        torch.zeros(8, 1),
        torch.tensor([0, 1, 2, -1, 0, 0, -1, -1]),
        ptr=torch.tensor([0, 4, 8, 8]),
        instance_weight=torch.tensor([1.0, 1, 2, 0, 1, 1, 0, 0]),
    )
    values = torch.tensor([1.0, 3.0, 8.0, 10.0])
    assert float(targets.mean_over_instances(values)) == pytest.approx((20 / 4 + 10) / 3)
    counts = torch.tensor([False, True, False, False])
    assert float(targets.mean_over_instances(values, counts)) == pytest.approx(3 / 3)
    nodes = torch.arange(8.0)
    assert float(targets.mean_over_background(nodes)) == pytest.approx((3 + 6.5) / 3)
    unread = torch.where(targets.background, nodes, torch.inf)
    assert float(targets.mean_over_background(unread)) == pytest.approx((3 + 6.5) / 3)


def test_class_of_most_weight_the_lowest_of_several() -> None:
    targets = query_targets(
        torch.zeros(9, 1),
        torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, -1]),
        class_logits=torch.zeros(1, 4),
        y=torch.tensor([3, 1, 1, 2, 0, -1, -1, -1, 3]),
        node_weight=torch.tensor([5.0, 1, 1, 1, 1, 1, 1, 1, 1]),
    )
    assert targets.instance_class is not None
    assert targets.instance_class.tolist() == [3, 0, -1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_at_least_single_precision(dtype: torch.dtype) -> None:
    targets = query_targets(torch.zeros(2, 3, dtype=dtype), torch.tensor([0, -1]))
    expected = torch.float64 if dtype == torch.float64 else torch.float32
    assert targets.logits.dtype == targets.weight.dtype == expected


def test_draws_keep_all_instances_and_their_size() -> None:
    instance = torch.cat([torch.arange(5000) % 4 - 1, torch.tensor([9, 9])])
    targets = query_targets(
        torch.arange(5002.0)[:, None].expand(-1, 3),
        instance,
        max_nodes=300,
        y=instance + 1,
        class_logits=torch.zeros(3, 11),
    )
    assert targets.kept is not None and len(targets.kept) == len(targets.row) <= 300
    assert torch.equal(targets.logits[:, 0], targets.kept.float())
    assert targets.size.tolist() == pytest.approx([1250, 1250, 1250, 2])
    assert float((targets.weight * targets.background).sum()) == pytest.approx(1250)
    assert targets.instance_class is not None
    assert targets.instance_class.tolist() == [1, 2, 3, 10]


GOOD: dict[str, Any] = {"logits": torch.zeros(4, 2), "instance": torch.tensor([0, 1, -1, 0])}
RAGGED = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, -torch.inf], [0.0, -torch.inf]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"logits": torch.zeros(4)}, r"logits is torch.float32 of shape \(4,\)"),
        ({"logits": torch.zeros(4, 2).long()}, "logits is torch.int64"),
        ({"instance": torch.zeros(3).long()}, r"instance has shape \(3,\); expected \(4,\)"),
        ({"instance": torch.zeros(4)}, "instance has dtype torch.float32"),
        ({"y": torch.zeros(4)}, "y has dtype torch.float32"),
        ({"ignore": torch.zeros(4, 1).bool()}, r"ignore has shape \(4, 1\)"),
        ({"logits": torch.tensor([[0, torch.nan]] * 4)}, "logits has 4 of 8 values that are NaN"),
        ({"logits": RAGGED}, "logits has 2 of 8 values that are NaN or infinite"),
        ({"node_weight": torch.tensor([1.0, -1, 1, 1])}, "node_weight has 1 negative"),
        ({"quality_logits": torch.tensor([torch.inf, 0])}, "quality_logits has 1 of 2"),
        ({"quality_logits": torch.zeros(3)}, r"quality_logits has shape \(3,\); expected \(2,\)"),
        ({"class_logits": torch.zeros(2)}, r"class_logits has shape \(2,\); expected \(2, C\)"),
        ({"query_ptr": torch.tensor([0, 3])}, "no graph more than the 2 columns"),
        ({"query_ptr": torch.tensor([0, 1, 2])}, r"query_ptr has shape \(3,\)"),
        ({"query_ptr": torch.tensor([0, 1])}, "logits has 4 values other than -inf in columns"),
        (
            {"class_logits": torch.zeros(2, 3), "y": torch.tensor([0, 3, 0, 0])},
            "y has class 3, class_logits",
        ),
        ({"max_nodes": -1}, "max_nodes is -1"),
    ],
)
def test_what_does_not_fit_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        query_targets(**(GOOD | changed))
    assert "\n" not in str(caught.value)


def test_no_query_may_be_minus_infinity_but_padding_is() -> None:
    query_targets(
        RAGGED, GOOD["instance"], ptr=torch.tensor([0, 2, 4]), query_ptr=torch.tensor([0, 2, 3])
    )
