from __future__ import annotations

from pathlib import Path

import pytest
import torch

from geoinfluencer.errors import InputError
from geoinfluencer.training import Run, train
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.data import build_model
from geoinfluencer.training.warm_start import adopt_weights


def test_what_fits_is_taken_and_the_rest_stays(tiny_run: Run) -> None:
    stored = load_checkpoint(tiny_run.best)
    config = stored.state.config["model"] | {"embedding_dim": 5}
    model = build_model(config, stored.state.data)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    taken, total = adopt_weights(model, tiny_run.best)
    after = model.state_dict()
    same = [name for name, value in after.items() if stored.weights[name].shape == value.shape]
    assert 0 < taken == len(same) < total == len(after)
    for name, value in after.items():
        assert torch.equal(value, stored.weights[name] if name in same else before[name])


def test_a_model_of_another_kind_is_refused(tiny_run: Run) -> None:
    with pytest.raises(InputError, match=r"init_from=.*none of its \d+ tensors of weights"):
        adopt_weights(torch.nn.Linear(3, 7), tiny_run.best)


def test_a_run_begins_there(tiny_run: Run, tmp_path: Path) -> None:
    config = load_checkpoint(tiny_run.best).state.config
    begin = config | {"train": config["train"] | {"init_from": str(tiny_run.best), "max_steps": 1}}
    begin["train"]["learning_rate"] = 1e-9
    run = train(config=begin, out=tmp_path / "run")
    started, stored = load_checkpoint(run.best).weights, load_checkpoint(tiny_run.best).weights
    assert all(torch.allclose(started[name], stored[name], atol=1e-6) for name in stored)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.ckpt"):
        adopt_weights(torch.nn.Linear(1, 1), tmp_path / "none.ckpt")
