from __future__ import annotations

import pytest
import torch

from geoinfluencer.condensation import Instances, merge_stuff, node_labels
from geoinfluencer.errors import InputError


def instances() -> Instances:
    """Two graphs; classes 0 and 1 are things, 5 and 6 stuff."""
    return Instances(
        instance=torch.tensor([0, 1, 2, 2, 3, -1, 0, 1, 1]),
        ptr=torch.tensor([0, 6, 6, 9]),
        influencer=torch.tensor([0, 1, 3, 4, 6, 8]),
        score=torch.tensor([0.9, 0.6, 0.3, 0.5, 0.2, 0.8]),
        size=torch.tensor([1, 1, 2, 1, 1, 2]),
        batch=torch.tensor([0, 0, 0, 0, 2, 2]),
        label=torch.tensor([5, 0, 5, 0, 5, 6]),
        properties={"p": torch.arange(6)},
    )


def test_stuff_of_a_class_becomes_one_region_of_its_graph() -> None:
    merged = merge_stuff(instances(), [5, 6])
    assert merged.instance.tolist() == [0, 1, 0, 0, 2, -1, 0, 1, 1]
    assert merged.size.tolist() == [3, 1, 1, 1, 2]
    assert merged.influencer.tolist() == [0, 1, 4, 6, 8]
    assert merged.label.tolist() == [5, 0, 0, 5, 6] and merged.batch.tolist() == [0, 0, 0, 2, 2]
    torch.testing.assert_close(merged.score, torch.tensor([0.5, 0.6, 0.5, 0.2, 0.8]))
    assert merged.properties["p"].tolist() == [0, 1, 3, 4, 5]
    assert torch.equal(node_labels(merged), node_labels(instances()))


def test_things_stay_as_they_are() -> None:
    before, after = instances(), merge_stuff(instances(), [])
    assert torch.equal(before.instance, after.instance) and len(after) == len(before)


def test_labels_of_the_nodes() -> None:
    assert node_labels(instances()).tolist() == [5, 0, 5, 5, 0, -1, 5, 6, 6]


def test_labels_are_needed() -> None:
    found = instances()
    object.__setattr__(found, "label", None)
    for function in (node_labels, lambda x: merge_stuff(x, [1])):
        with pytest.raises(InputError, match="no labels"):
            function(found)
