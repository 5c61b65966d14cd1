"""The Lightning callback that validates, saves, logs, and ends a run in good order."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from torch_geometric.data import Batch

from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.training.checkpoint import publish
from geoinfluencer.training.fitting.held_out import Validator
from geoinfluencer.training.fitting.log import CurveLog
from geoinfluencer.training.fitting.module import InfluencerModule
from geoinfluencer.training.fitting.progress import Progress
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.inference import autocast_dtype


class RunControl(pl.Callback):
    """Decides after every step whether to validate, to save, to stop.

    * ``last.ckpt`` is written at the start, at every validation, every ``save_minutes`` and when
      the run ends or is interrupted; always beside, then renamed.
    * ``best.ckpt`` is ``last.ckpt`` at the best validation so far, by the primary metric, then by
      the score on ``calib``.
    * The run ends after ``max_steps`` or ``max_minutes`` of fitting with a validation; on Ctrl-C
      or SIGTERM at the next step without one. A second Ctrl-C ends it at once.
    * With several processes rank 0 decides for all; each validates, and all find the same.

    Args:
        folder: of the run.
        held_out: validates.
        precision: of the run, for validations.
        quiet: no progress.
    """

    def __init__(
        self, folder: RunFolder, held_out: Validator, precision: str, quiet: bool = False
    ) -> None:
        self.folder, self.held_out, self.precision = folder, held_out, precision
        self.quiet, self.finished = quiet, False
        self.stopped_by: signal.Signals | None = None
        self._handlers: dict[signal.Signals, Any] = {}
        self._seconds_validating = 0.0
        self._total: float | None = None  # last logged loss

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Starts clock, logs and progress; takes over the signals."""
        assert isinstance(module, InfluencerModule)
        step, rank_zero = trainer.global_step, trainer.is_global_zero
        self._last_step = self._first_step = step
        self._last_save = self._started = time.monotonic()
        if rank_zero:
            self._train_log = CurveLog(self.folder.train_log, step)
            self._val_log = CurveLog(self.folder.val_log, step)
        self._progress = Progress(
            "training", module.settings.max_steps, enabled=rank_zero and not self.quiet
        )
        self._progress.begin(step)
        if step == 0:
            self._save(trainer)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._on_signal)
        module.clock.start()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        index: int,
    ) -> None:
        """Acts on what is due after this step."""
        assert isinstance(module, InfluencerModule)
        step = trainer.global_step
        if step == self._last_step:  # gradients are being accumulated
            return
        self._last_step = step
        stop, finished, validate, save = self._decide(trainer, module, step)
        self.finished = finished
        if trainer.is_global_zero:
            self._report(module, step, finished)
        if stop or finished:
            module.clock.stop()  # the last validation is not part of the fitting time
        better = validate and self._validate(trainer, module, step)
        if validate or save or stop:
            self._save(trainer)
        if trainer.is_global_zero and (better or (stop and not self.folder.best.exists())):
            publish(self.folder.last, self.folder.best)
        if stop or finished:
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Gives the signals back."""
        self._release()

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Gives the signals back."""
        self._release()

    def _release(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        self._progress.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopped_by is not None:
            raise KeyboardInterrupt
        self.stopped_by = signal.Signals(number)

    def _decide(
        self, trainer: pl.Trainer, module: InfluencerModule, step: int
    ) -> tuple[bool, bool, bool, bool]:
        """Whether to stop early, whether the run is complete, to validate, to save."""
        settings, elapsed = module.settings, module.clock.elapsed
        finished = settings.max_steps is not None and step >= settings.max_steps
        affordable = True
        if settings.max_minutes is not None:
            finished = finished or elapsed >= 60 * settings.max_minutes
            spent = time.monotonic() - self._started
            affordable = self._seconds_validating <= settings.val_share * spent
        stop = self.stopped_by is not None and not finished
        validate = finished or (step % settings.val_every == 0 and affordable and not stop)
        save = time.monotonic() - self._last_save >= 60 * settings.save_minutes
        decisions = (stop, finished, validate, save)
        if trainer.world_size > 1:
            decisions = trainer.strategy.broadcast(decisions)
        return decisions

    def _validate(self, trainer: pl.Trainer, module: InfluencerModule, step: int) -> bool:
        """Validates and notes what was found; returns whether it is the best so far."""
        found = self.held_out.validate(
            module.model, module.device, autocast_dtype(self.precision, module.device)
        )
        self._seconds_validating += found.seconds
        state, name = module.run_state, self.held_out.primary_metric
        state.calibrated, state.calibration = found.calibrated, found.calibration
        state.confidence, state.metrics = found.confidence, found.metrics
        standing = [found.merit, found.tie_break]
        better = standing >= state.best.get("standing", [-math.inf, -math.inf])
        if better:
            state.best = {"step": step, "standing": standing, **found.calibrated}
        if trainer.is_global_zero:
            minutes = module.clock.elapsed / 60
            values = {**found.calibrated, **found.metrics}
            row = {f"val/{key}": value for key, value in values.items()}
            self._val_log.append({"step": step, "minutes": minutes} | row)
            for logger in trainer.loggers:
                logger.log_metrics({key: float(value) for key, value in row.items()}, step=step)
            chosen = "".join(f", {key} {value:g}" for key, value in found.calibrated.items())
            chosen += f", {found.remark}" if found.remark else ""
            self._progress.say(
                f"step {step}: {name} {found.metrics.get(name, math.nan):.4f} on val{chosen}"
                f"{', the best so far' if better else ''}"
            )
        return better

    def _report(self, module: InfluencerModule, step: int, finished: bool) -> None:
        settings, horizon = module.settings, module.horizon
        elapsed = module.clock.elapsed
        if step % settings.log_every == 0 or finished or step == 1:
            values = {name: float(value) for name, value in module.last_terms.items()}
            self._train_log.append(
                {"step": step, "minutes": elapsed / 60, "loss_seconds": module.loss_seconds}
                | values
            )
            self._total = values["train/total"]
        text = f"loss {self._total:.4f}" if self._total is not None else ""
        here = time.monotonic() - self._started
        left = horizon.seconds_left(step, elapsed, step - self._first_step, here)
        self._progress.update(step, share=horizon.progress(step, elapsed), left=left, text=text)

    def _save(self, trainer: pl.Trainer) -> None:
        self._last_save = time.monotonic()
        if trainer.world_size > 1:  # every process takes part; rank 0 writes
            aside = self.folder.last.with_name(".last.ckpt.partial")
            trainer.save_checkpoint(aside)
            if trainer.is_global_zero:
                os.replace(aside, self.folder.last)
            return
        with atomic_path(self.folder.last) as temporary:
            trainer.save_checkpoint(temporary)
