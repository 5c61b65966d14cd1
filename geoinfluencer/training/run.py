"""``train``: from a configuration to a run folder with checkpoints, scores and a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.files.coco_masks import masks_available
from geoinfluencer.nn.stems import check_backbone
from geoinfluencer.training.checkpoint import RunState, load_checkpoint
from geoinfluencer.training.data import (
    attribute,
    build_dataset,
    build_model,
    class_names,
    describe,
    first_samples,
)
from geoinfluencer.training.fitting.held_out import HeldOut
from geoinfluencer.training.fitting.memory import step_memory
from geoinfluencer.training.fitting.module import InfluencerModule
from geoinfluencer.training.fitting.setup import check_stem, prepare_run
from geoinfluencer.training.fitting.trainer import check_devices, fit
from geoinfluencer.training.objective import build_objective
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.evaluation import check_classes, evaluate
from geoinfluencer.training.scoring.inference import pick_device
from geoinfluencer.training.scoring.prediction import predict
from geoinfluencer.training.scoring.reporting import write_results
from geoinfluencer.training.scoring.scores import score_samples
from geoinfluencer.training.tasks import make_task
from geoinfluencer.training.warm_start import adopt_weights

__all__ = ["Interrupted", "Run", "evaluate", "predict", "train"]


class Interrupted(Exception):
    """A signal ended the training; ``last.ckpt`` is there to go on from."""

    def __init__(self, number: int, folder: RunFolder, step: int) -> None:
        super().__init__(f"stopped at step {step}; {folder.last} is there to go on from")
        self.number, self.folder, self.step = number, folder, step


@dataclass(frozen=True)
class Run:
    """A finished run: its folder and the metrics of ``best.ckpt`` on ``val``."""

    path: Path
    metrics: dict[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Path:
        """The best checkpoint."""
        return RunFolder(self.path).best

    @property
    def report(self) -> Path:
        """The HTML report."""
        return RunFolder(self.path).report


def train(
    dataset: str | None = None,
    *,
    data_root: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    seed: int | None = None,
    max_steps: int | None = None,
    max_minutes: float | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    devices: int | None = None,
    quiet: bool = True,
) -> Run:
    """Trains a model, scores its best checkpoint on ``val`` and writes a report.

    Args:
        dataset: a name of the catalog or ``package.module:Class``; None: the config names it.
        data_root: folder of the data.
        config: YAML file or mapping laid over the built-in configuration and the preset.
        preset: a name under ``presets:``; None: the one fitted to the machine.
        assignments: ``section.key=value`` strings, laid over everything else.
        seed: of weights, order and dropout.
        max_steps: optimisation steps.
        max_minutes: of fitting alone; without ``max_steps`` only the time counts.
        out: run folder; None: a new one under ``runs/``. An earlier run there is moved aside.
        resume: ``"auto"`` or a checkpoint: goes on exactly where it stopped.
        devices: processes (GPUs, or CPU processes).
        quiet: no progress, no messages.

    Returns:
        Where the run is and its metrics (empty in processes other than the first).

    Raises:
        InputError: a file, name or setting is wrong.
        Interrupted: Ctrl-C or SIGTERM.
    """
    setup = prepare_run(
        dataset,
        data_root=data_root,
        config=config,
        preset=preset,
        assignments=assignments,
        seed=seed,
        max_steps=max_steps,
        max_minutes=max_minutes,
        out=out,
        resume=resume,
        devices=devices,
    )
    settings = setup.config.train
    check_devices(settings, pick_device(settings.accelerator))
    check_stem(setup.config)
    if setup.checkpoint is None and settings.init_from is None:
        check_backbone(setup.config.model)
    say = (lambda text: None) if quiet or not setup.is_first else print
    cls = resolve_dataset(setup.config.dataset)
    samples = {name: build_dataset(cls, setup.config, name) for name in ("train", "calib", "val")}
    names = {name: class_names(split) for name, split in samples.items()}
    for name in ("calib", "val"):
        place = f"{setup.config.dataset}, split {name}"
        check_classes(names[name], names["train"], place, "split train")
    task = make_task(samples["val"])
    facts = describe(samples["train"], f"{setup.config.dataset}, first training sample")
    torch.manual_seed(settings.seed)
    model = build_model(setup.config.model, facts, stored=setup.checkpoint is not None)
    first = first_samples(samples["train"], settings.normalisation_samples)
    if setup.checkpoint is None:
        model.fit_normalisation(first)  # type: ignore[operator]
        if settings.init_from is not None:
            taken, all_of_them = adopt_weights(model, settings.init_from)
            setup.notes.append(
                f"starting from {settings.init_from}: {taken} of {all_of_them} tensors fit"
            )
    else:
        stored = load_checkpoint(setup.checkpoint)
        stored.check_features(facts)
        stored.fill(model)  # before the folder is touched: they may not fit
    state = RunState(
        config=setup.config.to_dict(),
        data={
            **facts,
            "protocol": task.protocol,
            "primary_metric": task.primary_metric,
            "events": _events(*samples.values()),
            "train_events": _events(samples["train"]),
            "category_ids": list(attribute(samples["train"], "category_ids", ())),
        },
        class_map=dict(enumerate(names["train"])),
    )
    objective = build_objective(setup.config.loss, setup.config.supervision)
    held_out = HeldOut(task, samples["calib"], samples["val"], setup.config.condensation)
    module = InfluencerModule(model, objective, settings, state)
    folder, notes = setup.claim_folder()
    for note in [*setup.notes, *notes]:
        say(note)
    parameters = sum(p.numel() for p in model.parameters())
    say(
        f"{setup.config.dataset}: {len(samples['train'])} training samples, "  # type: ignore[arg-type]
        f"{len(samples['calib'])} for calibration, {len(samples['val'])} for validation; "  # type: ignore[arg-type]
        f"{parameters:,} parameters; run folder {folder.path}"
    )
    if setup.is_first and not quiet:
        device = pick_device(settings.accelerator)
        for line in step_memory(model, objective, first, settings.batch_size, device).lines():
            say(line)
    stopped_by = fit(module, samples["train"], held_out, folder, setup.checkpoint, quiet)
    if not setup.is_first:
        return Run(folder.path)
    if stopped_by is not None:
        raise Interrupted(stopped_by, folder, state.step)
    best = load_checkpoint(folder.best)
    # the protocol's own scores too, unless rooms are missing or what makes masks of images
    complete = not attribute(samples["val"], "missing_rooms", "")
    complete &= task.protocol != "images" or masks_available()
    scores = score_samples(
        best.build_model(),
        samples["val"],
        task,
        best.condensation(setup.config.condensation),
        device=pick_device(settings.accelerator),
        precision=settings.precision,
        quiet=quiet,
        with_records=complete,
    )
    scores.metrics |= {
        **(task.metrics_of(scores.records) if complete else {}),
        "split": "val",
        "seed": settings.seed,
        "dataset": setup.config.dataset,
        "checkpoint_step": best.state.step,
        "steps": state.step,
        "fit_minutes": state.elapsed_seconds / 60,
        "num_parameters": parameters,
    }
    write_results(folder, task, scores, setup.config, best.state)
    return Run(folder.path, scores.metrics)


def _events(*splits: object) -> list[str]:
    return sorted({name for split in splits for name in attribute(split, "event_names", ())})
