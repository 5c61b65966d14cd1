import pytest
import torch
from torch_geometric.data import Data

from geoinfluencer.errors import InputError
from geoinfluencer.graphs import validate_sample


def good() -> Data:
    return Data(
        pos=torch.rand(4, 3),
        x=torch.rand(4, 2),
        edge_index=torch.tensor([[0, 1], [1, 2]]),
        instance=torch.tensor([0, 0, 1, -1]),
        ignore=torch.zeros(4, dtype=torch.bool),
    )


def test_a_good_sample_passes_unchanged() -> None:
    sample = good()
    assert validate_sample(sample) is sample


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pos": None}, "`pos`"),
        ({"x": None}, "`x` is missing"),
        ({"x": torch.rand(3, 2)}, "4 rows"),
        ({"x": torch.full((4, 2), torch.nan)}, "8 NaN"),
        ({"instance": torch.tensor([0.0, 1, 2, 3])}, "int64"),
        ({"instance": torch.tensor([0, 1, -2, 3])}, "-2"),
        ({"ignore": torch.zeros(4)}, "bool"),
        ({"edge_index": None}, "`edge_index`"),
        ({"edge_index": torch.tensor([[0, 1], [1, 4]])}, "holds 4"),
        ({"edge_index": torch.tensor([[0, -1], [1, 2]])}, "holds -1"),
        ({"edge_attr": torch.rand(3, 1)}, r"expected \(2, A\)"),
    ],
)
def test_a_bad_sample_is_told_apart_by_field_and_source(change: dict, words: str) -> None:
    sample = good()
    for name, value in change.items():
        sample[name] = value
    with pytest.raises(InputError, match=words) as error:
        validate_sample(sample, "event 7")
    assert str(error.value).startswith("event 7: ") and "\n" not in str(error.value)
