from __future__ import annotations

from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import CondensationSection
from geoinfluencer.training.data import describe
from geoinfluencer.training.fitting.held_out import HeldOut
from geoinfluencer.training.tasks import NodeTask


class Samples(list):  # type: ignore[type-arg]
    """Samples with the attributes of a dataset."""

    def __init__(self, *samples: Data, **attributes: Any) -> None:
        super().__init__(samples)
        vars(self).update(attributes)


def sample(**fields: torch.Tensor) -> Data:
    pos = torch.zeros(3, 2)
    edges = torch.tensor([[0, 1], [1, 2]])
    return Data(pos=pos, x=pos.clone(), edge_index=edges, edge_attr=torch.zeros(2, 5), **fields)


INSTANCE = torch.tensor([0, 0, -1])


def test_channels_and_classes_are_read_from_the_first_sample() -> None:
    samples: Any = Samples(sample(instance=INSTANCE, y=INSTANCE), class_names=["a", "b"])
    facts = {"in_channels": 2, "edge_channels": 5, "num_classes": 2}
    assert describe(samples, "here") == facts


@pytest.mark.parametrize(
    ("fields", "attributes", "expected"),
    [
        ({}, {}, r"^here: `instance` \(N,\) is missing"),
        ({"instance": INSTANCE}, {"class_names": ["a"]}, r"^here: `y` .*class_names"),
        (
            {"instance": INSTANCE, "y": torch.tensor([0, 2, -1])},
            {"class_names": ["a", "b"]},
            r"^here: `y` holds 2, but class_names has 2",
        ),
    ],
)
def test_missing_truth_is_named(fields: Any, attributes: Any, expected: str) -> None:
    samples: Any = Samples(sample(**fields), **attributes)
    with pytest.raises(InputError, match=expected) as caught:
        describe(samples, "here")
    assert "\n" not in str(caught.value)
    assert describe(samples, "here", truth=False)["in_channels"] == 2  # enough to predict


@pytest.mark.parametrize("split", ["calib", "val"])
def test_held_out_samples_need_truth_too(split: str) -> None:
    samples: dict[str, Any] = {
        name: Samples(sample() if name == split else sample(instance=INSTANCE))
        for name in ("calib", "val")
    }
    with pytest.raises(InputError, match=f"first sample of {split}: `instance`"):
        HeldOut(NodeTask(None), samples["calib"], samples["val"], CondensationSection())


def test_a_calibration_without_instances_is_refused_before_it_is_needed() -> None:
    empty = torch.full((3,), -1)
    calib: Any = Samples(sample(instance=empty), sample(instance=empty))
    val: Any = Samples(sample(instance=INSTANCE))
    message = r"split calib: none of its 2 samples has a true instance .* condensation.radius=0.5"
    with pytest.raises(InputError, match=message):
        HeldOut(NodeTask(None), calib, val, CondensationSection())
    HeldOut(NodeTask(None), calib, val, CondensationSection(radius=0.4))
    calib.append(sample(instance=INSTANCE))
    HeldOut(NodeTask(None), calib, val, CondensationSection())
