"""How the baseline is trained: its folder, its validation, its epochs."""

from __future__ import annotations

import math
import time
from pathlib import Path

import lightning.pytorch as pl
import torch
from torch import nn
from torch_geometric.data import Batch

from geoinfluencer.training.fitting.control import RunControl
from geoinfluencer.training.fitting.held_out import Validation, Validator
from geoinfluencer.training.fitting.module import InfluencerModule
from geoinfluencer.training.pixel_baseline.objective import PixelObjective
from geoinfluencer.training.pixel_baseline.samples import PixelSamples
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.inference import evaluating


class PixelFolder(RunFolder):
    """The folder of a baseline: its checkpoints lie in it, not in ``checkpoints/``."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.last = self.path / "ckpt_last.pt"
        self.best = self.path / "ckpt_best.pt"
        self.final = self.path / "ckpt_final.pt"


class HeldOutLoss(Validator):
    """The mean loss over held-out images, each whole; the least is the best.

    Args:
        samples: whole images.
        objective: what is minimised.
    """

    primary_metric = "val_loss"

    def __init__(self, samples: PixelSamples, objective: PixelObjective) -> None:
        self.samples, self.objective = samples, objective

    @torch.no_grad()
    def validate(
        self, model: nn.Module, device: torch.device, dtype: torch.dtype | None
    ) -> Validation:
        """The loss and its terms, unweighted."""
        start = time.monotonic()
        sums: dict[str, float] = {}
        with evaluating(model):
            for index in range(len(self.samples)):
                batch = Batch.from_data_list([self.samples[index]]).to(device)
                with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
                    terms = self.objective(model(batch), batch)
                for name, value in terms.detached().items():
                    sums[name] = sums.get(name, 0.0) + float(value)
        means = {name: value / len(self.samples) for name, value in sums.items()}
        loss = means.pop("total")
        return Validation(
            calibrated={},
            calibration=[],
            metrics={"val_loss": loss, **means},
            merit=-math.inf if math.isnan(loss) else -loss,
            tie_break=-math.inf,
            seconds=time.monotonic() - start,
        )


class EpochControl(RunControl):
    """Also saves every so many steps.

    Args:
        save_steps: between two savings.
    """

    def __init__(
        self,
        folder: RunFolder,
        held_out: Validator,
        precision: str,
        quiet: bool = False,
        *,
        save_steps: int,
    ) -> None:
        super().__init__(folder, held_out, precision, quiet)
        self.save_steps = save_steps

    def _decide(
        self, trainer: pl.Trainer, module: InfluencerModule, step: int
    ) -> tuple[bool, bool, bool, bool]:
        stop, finished, validate, save = super()._decide(trainer, module, step)
        return stop, finished, validate, save or step % self.save_steps == 0
