"""Instances: rows, members and graphs agree with the labels."""

from __future__ import annotations

import pytest
import torch

from geoinfluencer.condensation import Instances, condense


@pytest.fixture
def batch_of_three() -> Instances:
    """Graphs of 3, 0 and 4 nodes: one instance of two, none, and two of two and one."""
    follower = torch.tensor([[0.0], [0.0], [9.0], [0.0], [5.0], [0.0], [9.0]])
    influencer = torch.tensor([[0.0], [20.0], [30.0], [40.0], [5.0], [0.0], [70.0]])
    return condense(
        follower,
        influencer,
        radius=0.5,
        ptr=torch.tensor([0, 3, 3, 7]),
        class_logits=torch.eye(7),
        properties={"row": torch.arange(7)},
    )


def test_rows_members_and_labels_agree(batch_of_three: Instances) -> None:
    found = batch_of_three
    assert len(found) == 3 and found.num_graphs == 3
    assert found.instance.tolist() == [0, 0, -1, 1, 0, 1, -1]
    assert found.influencer.tolist() == [0, 4, 5]
    assert found.batch.tolist() == [0, 2, 2]
    assert found.instance_ptr.tolist() == [0, 1, 1, 3]
    assert [found.members(k).tolist() for k in range(3)] == [[0, 1], [4], [3, 5]]
    assert found.members(-1).tolist() == [3, 5]
    assert found.size.tolist() == [2, 1, 2]
    assert repr(found) == "Instances(3 in 3 graphs, 7 nodes)"
    with pytest.raises(IndexError):
        found.members(3)


def test_split_is_local_to_each_graph(batch_of_three: Instances) -> None:
    first, empty, last = batch_of_three.split()
    assert len(first) == 1 and len(empty) == 0 and len(last) == 2
    assert last.instance.tolist() == [1, 0, 1, -1]
    assert last.influencer.tolist() == [1, 2]
    assert last.members(1).tolist() == [0, 2]
    assert last.properties["row"].tolist() == [4, 5]
    assert last.batch.tolist() == [0, 0] and last.ptr.tolist() == [0, 4]
    assert torch.equal(last.score, batch_of_three.score[1:])


def test_to_moves_every_tensor(batch_of_three: Instances) -> None:
    moved = batch_of_three.to("meta")
    for value in (moved.instance, moved.ptr, moved.score, moved.label, moved.properties["row"]):
        assert value is not None and value.device.type == "meta"
    assert batch_of_three.score.device.type == "cpu"
