from __future__ import annotations

import pytest
import torch

from geoinfluencer.condensation import condense_queries, semantic_labels
from geoinfluencer.condensation.query_claims import claim_nodes
from geoinfluencer.errors import InputError

ONE, TWO = torch.tensor([0, 3]), torch.tensor([0, 2])


def confident(owner: list[int], queries: int, by: float = 9.0) -> torch.Tensor:
    """Logits of nodes that are sure of their query, or of void (-1)."""
    x = torch.full((len(owner), queries), -by)
    for i, m in enumerate(owner):
        if m >= 0:
            x[i, m] = by
    return x


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_every_node_joins_its_query_or_none(activation: str) -> None:
    x = confident([2, -1, 0, 2, 0, 0], 3)
    found = condense_queries(x, ONE, torch.tensor([0, 6]), activation=activation)
    # in the order of the nodes that stand for them
    assert found.instance.tolist() == [0, -1, 1, 0, 1, 1]
    assert found.size.tolist() == [2, 3] and found.influencer.tolist() == [0, 2]
    assert (found.score > 0.99).all() and found.label is None


def test_scores_are_the_mean_probability_times_quality_and_class() -> None:
    x = torch.tensor([[1.0, 0.5], [2.0, -1.0], [-1.0, 0.3]])
    quality, classes = torch.tensor([0.7, 2.0]), torch.tensor([[1.0, 0.0, -1.0], [0.0, 3.0, 0.0]])
    p = torch.cat([x, torch.zeros(3, 1)], 1).softmax(1)
    s = quality.sigmoid() * classes.softmax(1).amax(1)
    found = condense_queries(
        x, TWO, torch.tensor([0, 3]), quality_logits=quality, class_logits=classes
    )
    assert found.instance.tolist() == [0, 0, 1] and found.label.tolist() == [0, 1]
    assert found.influencer.tolist() == [1, 2]  # the surest member
    torch.testing.assert_close(found.score, torch.stack([p[:2, 0].mean(), p[2, 1]]) * s)
    other = condense_queries(
        x, TWO, torch.tensor([0, 3]), activation="sigmoid", quality_logits=quality, min_share=0
    )
    # quality x probability: .668 x .731 < .881 x .622 for the first node
    assert other.instance.tolist() == [0, 1, 0]
    expected = x[[0, 2], 1].sigmoid().mean() * quality[1].sigmoid()
    torch.testing.assert_close(other.score[0], expected)


def test_graphs_are_decoded_apart_and_by_blocks() -> None:
    generator = torch.Generator().manual_seed(0)
    nodes, queries = [0, 40, 40, 95, 100], [0, 6, 9, 13, 13]
    ptr, query_ptr = torch.tensor(nodes), torch.tensor(queries)
    x = torch.randn(100, 6, generator=generator)
    x[40:95, 4:] = -torch.inf
    x[95:] = -torch.inf
    quality = torch.randn(13, generator=generator)
    classes = torch.randn(13, 3, generator=generator)
    for activation in ("softmax", "sigmoid"):
        options = {"activation": activation, "min_share": 0.3, "min_quality": 0.1}
        whole = condense_queries(
            x, query_ptr, ptr, quality_logits=quality, class_logits=classes, **options
        )
        assert len(whole) > 3 and (whole.instance[95:] == -1).all()
        blocks = condense_queries(
            iter(x.split(7)), query_ptr, ptr,
            quality_logits=quality, class_logits=classes, **options,
        )  # fmt: skip
        assert torch.equal(blocks.instance, whole.instance)
        torch.testing.assert_close(blocks.score, whole.score)
        labels = semantic_labels(
            x, query_ptr, ptr, classes, activation=activation, quality_logits=quality
        )
        for b, part in enumerate(whole.split()):
            n, m = slice(*nodes[b : b + 2]), slice(*queries[b : b + 2])
            count = m.stop - m.start
            own = torch.tensor([0, count]), torch.tensor([0, n.stop - n.start])
            alone = condense_queries(
                x[n, :count], *own, quality_logits=quality[m], class_logits=classes[m], **options
            )
            for name in ("instance", "influencer", "size", "label", "batch"):
                assert torch.equal(getattr(alone, name), getattr(part, name)), name
            torch.testing.assert_close(alone.score, part.score)
            semantic = semantic_labels(
                x[n, :count], *own, classes[m], activation=activation, quality_logits=quality[m]
            )
            assert torch.equal(semantic, labels[n])


def test_order_of_nodes_and_queries_does_not_matter() -> None:
    x = torch.randn(60, 8)
    n, q = torch.randperm(60), torch.randperm(8)
    query_ptr, ptr = torch.tensor([0, 8]), torch.tensor([0, 60])
    first = condense_queries(x, query_ptr, ptr)
    second = condense_queries(x[n][:, q], query_ptr, ptr)
    same = first.instance[n][:, None] == first.instance[n]
    assert torch.equal(second.instance[:, None] == second.instance, same)
    assert sorted(first.size.tolist()) == sorted(second.size.tolist())


def test_small_weak_and_doubtful_queries_are_dissolved() -> None:
    x = confident([0, 0, 0, 1, 2, 2], 3)
    ptr = torch.tensor([0, 6])
    assert condense_queries(x, ONE, ptr, min_size=2).instance.tolist() == [0, 0, 0, -1, 1, 1]
    quality = torch.tensor([3.0, 3.0, -3.0])
    strong = condense_queries(x, ONE, ptr, quality_logits=quality, min_score=0.5)
    assert strong.instance.tolist() == [0, 0, 0, 1, -1, -1]
    # a query of too little quality takes no part: who else would have its nodes gets them
    x[4:, 1] = 5.0
    able = condense_queries(x, ONE, ptr, quality_logits=quality, min_quality=0.5)
    assert able.instance.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_nodes_of_a_mask_that_agrees_too_little_with_them_join_another(activation: str) -> None:
    # query 1 wins node 3 by a little, and is spread thinly over all of them
    x = torch.tensor([[4.0, 0.5], [4.0, 0.5], [4.0, 0.5], [0.9, 1.0], [-5.0, -1.0]])
    ptr, options = torch.tensor([0, 5]), {"activation": activation, "min_share": 0.0}
    before = condense_queries(x, TWO, ptr, **options)
    assert before.instance.tolist() == [0, 0, 0, 1, -1]
    p = x.sigmoid()
    if activation == "softmax":
        p = torch.cat([x, torch.zeros(5, 1)], 1).softmax(1)[:, :2]
    expected = torch.tensor([p[:3, 0].sum() / (3 + p[3:, 0].sum()),
                             p[3, 1] / (1 + p[:3, 1].sum() + p[4, 1])])  # fmt: skip
    claims = claim_nodes(
        x, TWO, ptr, activation=activation, quality=torch.ones(2), able=torch.tensor([True, True])
    )
    torch.testing.assert_close(claims.agreement().float(), expected)
    low, high = sorted(expected.tolist())
    for threshold, found in ((low - 0.01, [0, 0, 0, 1, -1]), (low + 0.01, [0, 0, 0, 0, -1])):
        after = condense_queries(list(x.split(2)), TWO, ptr, min_iou=threshold, **options)
        assert after.instance.tolist() == found
    assert len(condense_queries(x, TWO, ptr, min_iou=high + 0.01, **options)) == 0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_masks_agree_wholly_with_their_nodes_only_where_they_are_sure(activation: str) -> None:
    x = confident([0, 0, 1, -1], 3, by=30.0)
    claims = claim_nodes(
        x, ONE, torch.tensor([0, 4]), activation=activation,
        quality=torch.ones(3), able=torch.ones(3, dtype=torch.bool),
    )  # fmt: skip
    torch.testing.assert_close(claims.agreement().float(), torch.tensor([1.0, 1.0, 0.0]))


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_duplicate_that_keeps_less_than_its_share_is_dissolved(activation: str) -> None:
    # query 1 claims what query 0 has, and wins one node of it
    x = confident([0, 0, 0, 0, -1], 2)
    x[:4, 1] = 8.0
    x[3, 1] = 10.0
    ptr = torch.tensor([0, 5])
    kept = condense_queries(x, TWO, ptr, activation=activation, min_share=0.0)
    gone = condense_queries(x, TWO, ptr, activation=activation, min_share=0.5)
    assert kept.instance.tolist() == [0, 0, 0, 1, -1]
    assert gone.instance.tolist() == [0, 0, 0, -1, -1]


def test_the_node_a_query_was_made_from_stands_for_it_where_it_joined() -> None:
    x = confident([0, 0, 1, 1], 2)
    x[0, 0] = 12.0
    found = condense_queries(x, TWO, torch.tensor([0, 4]), query_node=torch.tensor([1, 0]))
    assert found.influencer.tolist() == [1, 2]  # node 0 is no member of the second


def test_classes_of_nodes_take_all_queries_together() -> None:
    # two queries of class 1 outweigh a likelier one of class 0
    x = torch.tensor([[1.2, 1.0, 1.0], [-9.0, -9.0, -9.0]])
    classes = 9.0 * torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    for activation in ("softmax", "sigmoid"):
        found = semantic_labels(x, ONE, torch.tensor([0, 2]), classes, activation=activation)
        assert found.tolist() == [1, -1]
    low = semantic_labels(
        x, ONE, torch.tensor([0, 2]), classes,
        activation="sigmoid", quality_logits=torch.tensor([9.0, -9.0, -9.0]),
    )  # fmt: skip
    assert low.tolist() == [0, -1]


def test_nothing_to_decode() -> None:
    empty = condense_queries(torch.zeros(0, 3), ONE, torch.tensor([0, 0]))
    assert len(empty) == 0 and empty.num_graphs == 1
    unclaimed = condense_queries(torch.zeros(4, 0), torch.tensor([0, 0]), torch.tensor([0, 4]))
    assert unclaimed.instance.tolist() == [-1] * 4
    none = semantic_labels(
        torch.zeros(4, 0), torch.tensor([0, 0]), torch.tensor([0, 4]), torch.zeros(0, 2)
    )
    assert none.tolist() == [-1] * 4


def test_bad_input_is_named() -> None:
    x, ptr = torch.zeros(4, 3), torch.tensor([0, 4])
    with pytest.raises(InputError, match="activation 'tanh'"):
        condense_queries(x, ONE, ptr, activation="tanh")
    with pytest.raises(InputError, match="min_iou reads the logits twice; give a list"):
        condense_queries(iter([x]), ONE, torch.tensor([0, 4]), min_iou=0.5)
    with pytest.raises(InputError, match="min_share is 2"):
        condense_queries(x, ONE, ptr, min_share=2)
    with pytest.raises(InputError, match="logits has 4 rows; expected one for each of the 5"):
        condense_queries(x, ONE, torch.tensor([0, 5]))
    with pytest.raises(InputError, match=r"logits has \(4, 3\) from row 0 on"):
        condense_queries(x, torch.tensor([0, 4]), ptr)
    with pytest.raises(InputError, match="query_ptr has 3 entries, ptr 2"):
        condense_queries(x, torch.tensor([0, 3, 3]), ptr)
    with pytest.raises(InputError, match=r"class_logits has shape \(2, 5\)"):
        condense_queries(x, ONE, ptr, class_logits=torch.zeros(2, 5))
