"""The part of a run in which weights change: Lightning's trainer and what it is given."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import Dataset
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.config import TrainSection
from geoinfluencer.training.fitting.control import RunControl
from geoinfluencer.training.fitting.held_out import Validator
from geoinfluencer.training.fitting.loader import cores, train_loader
from geoinfluencer.training.fitting.module import InfluencerModule
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.inference import pick_device, resolve_precision


class RunData(pl.LightningDataModule):
    """Training batches that go on where the restored trainer stands."""

    def __init__(self, samples: Dataset[Data], settings: TrainSection) -> None:
        super().__init__()
        self.samples, self.settings = samples, settings

    def train_dataloader(self) -> DataLoader:
        """Batches from the trainer's next batch on, this process's part."""
        trainer = self.trainer
        assert trainer is not None
        return train_loader(
            self.samples,
            self.settings,
            start=trainer.fit_loop.total_batch_idx + 1,
            rank=trainer.global_rank,
            world_size=trainer.world_size,
        )


def fit(
    module: InfluencerModule,
    samples: Dataset[Data],
    held_out: Validator,
    folder: RunFolder,
    checkpoint: Path | None,
    quiet: bool,
    make_control: Callable[..., RunControl] = RunControl,
) -> int | None:
    """Runs the trainer to the end of the module's horizon.

    Args:
        module: what is trained.
        samples: to train on.
        held_out: validates.
        folder: of the run.
        checkpoint: to go on from; None: from scratch.
        quiet: no progress.
        make_control: of the callback that validates and saves.

    Returns:
        The signal that ended it early, or None.
    """
    settings = module.settings
    first = None if checkpoint is None else load_checkpoint(checkpoint).state.step + 1
    device = pick_device(settings.accelerator)
    precision = resolve_precision(settings.precision, device.type)
    control = make_control(folder, held_out, precision, quiet=quiet)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning.*")
        warnings.filterwarnings("ignore", message=".*find_unused_parameters.*")
        trainer = pl.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=settings.devices if settings.devices != "auto" else -1,
            strategy="ddp_find_unused_parameters_true" if _several(settings) else "auto",
            precision=precision,  # type: ignore[arg-type]
            max_steps=settings.max_steps or -1,
            max_epochs=-1,
            gradient_clip_val=settings.gradient_clip or None,
            accumulate_grad_batches=settings.accumulate,
            log_every_n_steps=settings.log_every,
            logger=TensorBoardLogger(folder.path, name="logs", version="", purge_step=first),
            callbacks=[control],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            limit_val_batches=0,
            num_sanity_val_steps=0,
        )
        start = None if checkpoint is None else str(checkpoint)
        try:
            trainer.fit(module, RunData(samples, settings), ckpt_path=start, weights_only=True)
        finally:
            folder.unlock()
    return None if control.stopped_by is None or control.finished else int(control.stopped_by)


def check_devices(settings: TrainSection, device: torch.device) -> None:
    """Refuse more processes than the machine has GPUs, or cores: they would fill its memory.

    Raises:
        InputError: names what there is.
    """
    if settings.devices == "auto" or "TORCHELASTIC_RUN_ID" in os.environ:
        return
    there = torch.cuda.device_count() if device.type == "cuda" else cores()
    if settings.devices > there:
        what = "GPU(s)" if device.type == "cuda" else "CPU core(s)"
        raise InputError(f"--devices {settings.devices}: this machine has {there} {what}")


def _several(settings: TrainSection) -> bool:
    if settings.devices == "auto":
        return torch.cuda.device_count() > 1
    return settings.devices > 1 or "TORCHELASTIC_RUN_ID" in os.environ
