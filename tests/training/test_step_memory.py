"""The memory that a step is said to take."""

from __future__ import annotations

from typing import Any

import torch
from torch_geometric.data import Data

from geoinfluencer.datasets import ToyTracks
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.data import build_model, describe
from geoinfluencer.training.fitting.memory import StepMemory, step_memory
from geoinfluencer.training.objective import build_objective

CPU = torch.device("cpu")


def parts(**model: Any) -> tuple[torch.nn.Module, torch.nn.Module, list[Data]]:
    config = resolve_config("toy-tracks", config={"model": model})
    samples = ToyTracks(None, "train", train_events=3)
    events = [samples[i] for i in range(3)]
    network = build_model(config.model, describe(samples, "toy"))
    network.fit_normalisation(events)  # type: ignore[operator]
    return network, build_objective(config.loss, config.supervision), events


def test_nothing_of_the_run_changes() -> None:
    model, loss, events = parts(dropout=0.3)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    step_memory(model, loss, events, 2, CPU)
    assert torch.equal(torch.rand(4), expected)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_it_grows_with_batch_width_and_depth() -> None:
    model, loss, events = parts(hidden_channels=16, num_layers=2)
    one, two = (step_memory(model, loss, events, size, CPU) for size in (1, 2))
    assert two.kept == 2 * one.kept > 0 and two.nodes == 2 * one.nodes
    assert one.nodes == max(int(event.num_nodes or 0) for event in events)
    assert one.weights == two.weights == 16 * sum(p.numel() for p in model.parameters())
    wide = step_memory(*parts(hidden_channels=32, num_layers=2), 1, CPU)
    deep = step_memory(*parts(hidden_channels=16, num_layers=4), 1, CPU)
    assert one.kept < deep.kept < 2 * one.kept < 2 * wide.kept and wide.kept > 1.5 * one.kept


def test_what_does_not_fit_is_said_with_the_remedy() -> None:
    assert len(StepMemory(2**30, 2**30, 5, None).lines()) == 1
    assert "up to 3.00 GiB (1.00 kept" in StepMemory(2**30, 2**30, 5, 2**32).lines()[0]
    said = StepMemory(2**30, 2**30, 5, 2**31).lines()
    assert len(said) == 2 and "2.00 GiB are free" in said[1] and "train.batch_size" in said[1]
