"""A stand-in loss, and outcomes made by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from geoinfluencer.compare.curves import Curve
from geoinfluencer.compare.outcome import Outcome, Subject
from geoinfluencer.errors import InputError
from geoinfluencer.losses import LossTerms


class Assigned(nn.Module):
    """Cross entropy with instance k on query k and background on void: what matching finds."""

    def __init__(self, *, weight: float = 1.0, fail_at: int = -1) -> None:
        super().__init__()
        self.weight, self.fail_at, self.calls = weight, fail_at, 0

    def forward(self, logits: Tensor, instance: Tensor) -> LossTerms:
        if self.calls == self.fail_at:
            raise InputError("logits has 3 of 9 values that are NaN or infinite")
        self.calls += 1
        extended = torch.cat([logits, logits.new_zeros(len(logits), 1)], 1)
        target = torch.where(instance >= 0, instance, logits.shape[1])
        loss = torch.nn.functional.cross_entropy(extended, target)
        return LossTerms({"mask": self.weight * loss})


class Idle(nn.Module):
    """Wants nothing."""

    def forward(self, logits: Tensor, instance: Tensor) -> LossTerms:
        return LossTerms({"mask": 0.0 * logits.sum()})


KNOWN: dict[str, type[nn.Module]] = {"assigned": Assigned, "idle": Idle}


@pytest.fixture
def known() -> dict[str, type[nn.Module]]:
    """Names of the stand-ins."""
    return KNOWN


@pytest.fixture
def make_outcome() -> Callable[..., Outcome]:
    """An outcome of trainings from loss -> final quality of the seeds."""

    def make(final: dict[str, list[float]], reference: str) -> Outcome:
        subject = Subject("toys", "final_ari", "ari on val", "minutes", {"ari": "agreement"})
        outcome = Outcome(subject, reference)
        for loss, values in final.items():
            for seed, value in enumerate(values):
                outcome.rows.append(
                    {"dataset": "toys", "nodes": 10, "queries": 4, "instances": 2, "loss": loss,
                     "seed": seed, "steps": 40, "seconds": 8.0 + seed, "final_ari": value,
                     "ari": value, "loss_share": 0.25, "failure": ""}
                )  # fmt: skip
                step = np.array([10.0, 20.0, 30.0, 40.0])
                course = value * np.array([0.25, 0.5, 1.0, 1.0])
                outcome.curves.append(Curve("", loss, seed, step, 0.2 * step, course))
        return outcome

    return make


@pytest.fixture(scope="session", autouse=True)
def _small_runs(_one_thread: None) -> None:
    """All of them are."""
