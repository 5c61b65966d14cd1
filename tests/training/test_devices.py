import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import TrainSection
from geoinfluencer.training.fitting.loader import cores
from geoinfluencer.training.fitting.trainer import check_devices


def test_more_processes_than_cores_are_refused_before_any_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    cpu = torch.device("cpu")
    check_devices(TrainSection(devices=cores()), cpu)
    check_devices(TrainSection(devices="auto"), cpu)
    with pytest.raises(InputError, match=f"this machine has {cores()} CPU core"):
        check_devices(TrainSection(devices=cores() + 1), cpu)
