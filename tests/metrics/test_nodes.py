from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from geoinfluencer.errors import InputError
from geoinfluencer.metrics import NodeMetrics
from geoinfluencer.metrics.assignment import best_matching


def evaluate(predicted: list[int], instance: list[int], **options: object) -> dict[str, float]:
    return NodeMetrics().update(predicted, instance, **options)


def test_perfect_and_relabelled() -> None:
    m = evaluate([7, 7, 3, 3, -1], [0, 0, 1, 1, -1])
    for name in ("ari", "ami", "v_measure", "mean_iou", "pq", "sq", "rq", "node_accuracy"):
        assert m[name] == pytest.approx(1), name
    assert m["num_predicted"] == m["num_truth"] == 2


def test_overlaps_by_hand() -> None:
    # Truth 0 has 4 nodes, 1 has 3, background 2. Predicted 0 has 3 of truth 0 and a background
    # node; predicted 1 the fourth node of 0 and two of truth 1; the third of 1 is unassigned.
    instance = [0, 0, 0, 0, 1, 1, 1, -1, -1]
    predicted = [0, 0, 0, 1, 1, 1, -1, 0, -1]
    m = evaluate(predicted, instance)
    assert m["mean_iou"] == pytest.approx((3 / 5 + 2 / 4) / 2)
    # 3/5 matches; 2/4 does not exceed one half: one match, one missed, one false.
    assert m["sq"] == pytest.approx(3 / 5) and m["rq"] == pytest.approx(1 / 2)
    assert m["pq"] == pytest.approx(3 / 10)
    assert m["node_accuracy"] == pytest.approx((3 + 2 + 1) / 9)
    # Partitions: over the seven signal nodes, the unassigned one alone.
    labels = [0, 0, 0, 1, 1, 1, 9]
    assert m["ari"] == pytest.approx(sk.adjusted_rand_score(instance[:7], labels))
    assert m["ami"] == pytest.approx(sk.adjusted_mutual_info_score(instance[:7], labels))
    assert m["v_measure"] == pytest.approx(sk.v_measure_score(instance[:7], labels))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=80))
def test_partitions_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = [list(column) for column in zip(*pairs, strict=True)]
    m = evaluate(predicted, truth)
    assert m["ari"] == pytest.approx(sk.adjusted_rand_score(truth, predicted), abs=1e-9)
    assert m["v_measure"] == pytest.approx(sk.v_measure_score(truth, predicted), abs=1e-9)
    ami = sk.adjusted_mutual_info_score(truth, predicted)
    assert m["ami"] == pytest.approx(ami, abs=1e-6)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1, max_size=40))
def test_accuracy_is_the_best_over_all_one_to_one_matchings(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    table = np.array(
        [[((truth == t) & (predicted == p)).sum() for p in range(4)] for t in range(4)]
    )
    best = max(
        sum(table[t, p] for t, p in enumerate(order)) for order in itertools.permutations(range(4))
    )
    background = ((truth < 0) & (predicted < 0)).sum()
    m = evaluate(predicted.tolist(), truth.tolist())
    assert m["node_accuracy"] == pytest.approx((best + background) / len(pairs))


def test_matching_leaves_rows_without_a_partner() -> None:
    row, column = np.array([0, 1, 2, 2]), np.array([0, 0, 0, 1])
    gain = np.array([3.0, 5.0, 4.0, 1.0])
    cells = best_matching(row, column, gain, (3, 2))
    assert sorted(cells.tolist()) == [1, 3]
    assert len(best_matching(row[:0], column[:0], gain[:0], (0, 2))) == 0


def test_ignored_nodes_do_not_count() -> None:
    instance, predicted = [0, 0, 1, 1, 0, 1], [0, 0, 1, 1, 1, 2]
    ignore = [False] * 4 + [True] * 2
    m = evaluate(predicted, instance, ignore=ignore)
    assert m["pq"] == m["ari"] == m["node_accuracy"] == 1
    assert m["num_predicted"] == 2


def test_prediction_mostly_on_ignored_nodes_is_not_false() -> None:
    instance = [0, 0, 1, 1, 1]
    ignore = [False, False, True, True, True]
    # Predicted 1 has one counted node and three ignored ones: it still exists.
    m = evaluate([0, 1, 1, 1, 1], instance, ignore=ignore)
    assert m["num_predicted"] == 2 and m["pq"] == 0  # truth 0 has IoU 1/2 with predicted 0
    instance, ignore = [0, 0, 0, -1, 1, 1], [False] * 4 + [True] * 2
    m = evaluate([0, 0, 0, 1, 1, 1], instance, ignore=ignore)
    assert m["pq"] == 1
    m = evaluate([0, 0, 0, 1, 2, 2], instance, ignore=ignore)
    assert m["pq"] == pytest.approx(1 / 1.5)


def test_weights_are_masses() -> None:
    m = evaluate([0, 0, 0], [0, 0, -1], weight=[1.0, 1.0, 8.0])
    assert m["mean_iou"] == pytest.approx(0.2) and m["node_accuracy"] == pytest.approx(0.2)
    whole = evaluate([0, 0] + [0] * 8, [0, 0] + [-1] * 8)
    assert m["mean_iou"] == pytest.approx(whole["mean_iou"])
    with pytest.raises(InputError, match="not negative"):
        evaluate([0], [0], weight=[-1.0])


def test_panoptic_quality_per_class() -> None:
    instance, predicted = [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]
    semantic = [4, 4, 4, 4, 8, 8]
    same = evaluate(predicted, instance, semantic=semantic, semantic_predicted=semantic)
    assert same["pq"] == 1
    # Instance 2 gets a wrong class: class 8 has a miss, class 9 a false one, class 4 is perfect.
    wrong = [4, 4, 4, 4, 9, 9]
    m = evaluate(predicted, instance, semantic=semantic, semantic_predicted=wrong)
    assert m["pq"] == pytest.approx(1 / 3) and m["rq"] == pytest.approx(1 / 3)
    # The class of an instance is that of most of its nodes; classes alone change nothing else.
    m = evaluate([0] * 3, [0] * 3, semantic=[1, 1, 2], semantic_predicted=[1, 2, 1])
    assert m["pq"] == 1
    assert evaluate(predicted, instance, semantic_predicted=wrong)["pq"] == 1


def test_degenerate_graphs() -> None:
    m = evaluate([-1, -1], [-1, -1])
    assert m["node_accuracy"] == 1 and m["num_truth"] == 0
    assert all(math.isnan(m[k]) for k in ("ari", "ami", "v_measure", "mean_iou", "pq"))
    m = evaluate([0, 0], [-1, -1])
    assert m["pq"] == 0 and m["node_accuracy"] == 0 and math.isnan(m["sq"])
    m = evaluate([-1, -1, -1], [0, 0, 1])
    assert m["pq"] == 0 and m["mean_iou"] == 0 and m["ari"] == 0
    assert all(math.isnan(v) for k, v in evaluate([], []).items() if not k.startswith("num"))


def test_average_over_graphs_leaves_out_the_undefined() -> None:
    metrics = NodeMetrics()
    metrics.update([-1], [-1])
    metrics.update([0, 0, 1, 1], [0, 0, 1, 1])
    metrics.update(torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 1, 1]))
    result = metrics.compute()
    assert result["num_graphs"] == 3
    assert result["ari"] == pytest.approx((1 + 0) / 2)
    assert result["node_accuracy"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert math.isnan(NodeMetrics().compute()["pq"])


def test_arrays_are_checked() -> None:
    with pytest.raises(InputError, match=r"instance has shape \(3,\), expected \(2,\)"):
        evaluate([0, 0], [0, 0, 0])
    with pytest.raises(InputError, match=r"score has shape"):
        evaluate([0, 0], [0, 0], score=[1.0])
    with pytest.raises(InputError, match=r"ignore has type float64"):
        evaluate([0, 0], [0, 0], ignore=[0.5, 1.0])
