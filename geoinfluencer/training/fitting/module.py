"""The Lightning module: one optimisation step, the learning rate, what is logged."""

from __future__ import annotations

import time
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from geoinfluencer.training.checkpoint import META_KEY, RunState
from geoinfluencer.training.configuration.config import TrainSection
from geoinfluencer.training.fitting.sampler import mixed_seed
from geoinfluencer.training.fitting.schedule import Clock, Horizon, learning_rate_factor


class InfluencerModule(pl.LightningModule):
    """Trains a segmenter with AdamW, linear warm-up and a cosine over the run's horizon.

    The learning rate of a step is a function of the run's progress (steps, or minutes of fitting),
    and the random numbers of a step are seeded from its number, so that a resumed run goes on
    exactly as it would have.

    Args:
        model: ``forward(batch)`` returns ``follower`` and ``influencer`` (N, D).
        loss: an objective, ``forward(outputs, batch)`` returns
            :class:`~geoinfluencer.losses.LossTerms`.
        settings: the train section of the configuration.
        state: what is known about the run; stored in every checkpoint.
    """

    def __init__(
        self, model: nn.Module, loss: nn.Module, settings: TrainSection, state: RunState
    ) -> None:
        super().__init__()
        self.model, self.loss = model, loss
        self.settings, self.run_state = settings, state
        self.horizon = Horizon(settings.max_steps, settings.max_minutes)
        self.clock = Clock()
        self.last_terms: dict[str, Tensor] = {}
        self.loss_seconds = 0.0  # of the last step, in the forward pass of the loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW; weight decay spares biases, normalisation and other vectors."""
        decayed = [p for p in self.parameters() if p.requires_grad and p.dim() >= 2]
        spared = [p for p in self.parameters() if p.requires_grad and p.dim() < 2]
        groups = [
            {"params": decayed, "weight_decay": self.settings.weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.settings.learning_rate)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seeds the step and sets its learning rate."""
        torch.manual_seed(mixed_seed(self.settings.seed, batch_idx, self.global_rank))
        progress = self.horizon.progress(self.global_step, self.clock.elapsed)
        factor = learning_rate_factor(
            progress, self.settings.warmup, self.settings.final_learning_rate
        )
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.settings.learning_rate * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one batch; every term is logged unweighted."""
        outputs = self.model(batch)
        start = time.perf_counter()
        terms = self.loss(outputs, batch)
        total = terms.total
        self.loss_seconds = time.perf_counter() - start
        self.last_terms = {f"train/{name}": value.detach() for name, value in terms.items()}
        self.last_terms["train/total"] = total.detach()
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.last_terms["train/learning_rate"] = total.new_tensor(rate)
        self.log_dict(self.last_terms, batch_size=batch.num_graphs)
        return total

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what an evaluation or a resumed run needs to know."""
        self.run_state.elapsed_seconds = self.clock.elapsed
        self.run_state.step = self.global_step
        checkpoint[META_KEY] = self.run_state.to_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores threshold, best score and minutes spent."""
        self.run_state.restore(checkpoint[META_KEY])
        self.clock.earlier = self.run_state.elapsed_seconds
