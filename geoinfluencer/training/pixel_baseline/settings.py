"""Settings of the pixel-embedding baseline."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.checks import validate
from geoinfluencer.training.configuration.config import TrainSection
from geoinfluencer.training.configuration.yaml_layers import Layer

LEAST_CROP = 32
_COUNTS = ("epochs", "batch_size", "save_every", "eval_every", "crop", "embedding_dim", "width")


@dataclass(frozen=True, kw_only=True)
class PixelSettings:
    """How the pixel-embedding baseline is trained.

    Attributes:
        epochs: over the training images; None: 10, or with ``max_minutes`` as many as it takes.
        max_steps: of an epoch at most; 0: all of it.
        max_minutes: of fitting.
        batch_size: images of a step.
        lr: peak learning rate.
        save_every: epochs between two savings of ``ckpt_last.pt``.
        eval_every: epochs between two validations.
        num_workers: loader processes; None: fitted to the machine.
        seed: of weights, order and crops.
        crop: side of the square crops that are trained on, or less: the longer side of the first
            image.
        embedding_dim: size of an embedding.
        width: channels of the first level of the U-Net.
        normalise: give embeddings length 1, in training and in scoring.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
    """

    epochs: int | None = None
    max_steps: int = 0
    max_minutes: float | None = None
    batch_size: int = 2
    lr: float = 1e-3
    save_every: int = 1
    eval_every: int = 1
    num_workers: int | None = None
    seed: int = 0
    crop: int = 256
    embedding_dim: int = 8
    width: int = 16
    normalise: bool = False
    accelerator: str = "auto"

    def __post_init__(self) -> None:
        for name in _COUNTS:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, got {value}")
        if self.crop < LEAST_CROP:
            raise InputError(
                f"crop must be at least {LEAST_CROP} pixels, got {self.crop}: the net halves it "
                "four times"
            )
        if self.max_steps < 0:
            raise InputError(f"max_steps must be at least 0, got {self.max_steps}")

    def steps_of_epoch(self, images: int) -> int:
        """Optimisation steps of an epoch over so many images."""
        whole = math.ceil(images / self.batch_size)
        return min(whole, self.max_steps) if self.max_steps else whole

    def train_section(self, images: int) -> TrainSection:
        """These settings as the trainer takes them."""
        steps = self.steps_of_epoch(images)
        epochs = self.epochs or (10 if self.max_minutes is None else None)
        values = {
            "seed": self.seed,
            "max_steps": None if epochs is None else epochs * steps,
            "max_minutes": self.max_minutes,
            "batch_size": self.batch_size,
            "learning_rate": self.lr,
            "val_every": self.eval_every * steps,
            "workers": "auto" if self.num_workers is None else self.num_workers,
            "accelerator": self.accelerator,
        }
        return validate(TrainSection, Layer(values), ("train",))


def settings_of(values: dict[str, Any]) -> PixelSettings:
    """Settings from those of a command line that are given (not None)."""
    known = asdict(PixelSettings())
    return PixelSettings(**{k: v for k, v in values.items() if k in known and v is not None})
