"""``baseline``: what is trained on pixels, or not trained at all, beside the graph models."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from geoinfluencer.condensation.unlearned import require_clustering
from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.models.pixel_embedder import PixelEmbedder
from geoinfluencer.training.checkpoint import (
    PIXEL_BASELINE,
    Checkpoint,
    RunState,
    load_checkpoint,
    publish,
)
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.data import build_dataset
from geoinfluencer.training.fitting.module import InfluencerModule
from geoinfluencer.training.fitting.trainer import fit
from geoinfluencer.training.pixel_baseline.fitting import EpochControl, HeldOutLoss, PixelFolder
from geoinfluencer.training.pixel_baseline.grouping import PixelGrouper
from geoinfluencer.training.pixel_baseline.objective import PixelObjective
from geoinfluencer.training.pixel_baseline.samples import PixelSamples
from geoinfluencer.training.pixel_baseline.scoring import score_masks, score_nodes
from geoinfluencer.training.pixel_baseline.settings import LEAST_CROP, PixelSettings
from geoinfluencer.training.run import Interrupted
from geoinfluencer.training.run_folder import new_run, write_json
from geoinfluencer.training.scoring.inference import pick_device


@dataclass(frozen=True)
class BaselineRun:
    """A finished baseline: its folder and ``metrics.json``."""

    path: Path
    metrics: dict[str, Any]


def pixel_baseline(
    dataset: str,
    *,
    data_root: str | Path | None = None,
    settings: PixelSettings | None = None,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    overrides: Layer | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    quiet: bool = True,
) -> BaselineRun:
    """Trains the pixel-embedding baseline on a set of images and scores its best checkpoint on
    ``val``: a U-Net, the discriminative loss, DBSCAN.

    Args:
        dataset: a name or ``package.module:Class``.
        data_root: folder of the data.
        settings: of the training.
        preset: of the dataset's configuration, of which only ``data`` is read.
        assignments: ``data.key=value`` strings.
        overrides: further settings of ``data``.
        out: folder; None: a new one under ``runs/``. An earlier run there is moved aside.
        resume: ``auto`` (``ckpt_last.pt`` in ``out``) or a checkpoint: goes on where it stopped.
        quiet: no progress, no messages.

    Raises:
        InputError: a file, name or setting is wrong.
        Interrupted: Ctrl-C or SIGTERM; ``ckpt_last.pt`` is there to go on from.
    """
    settings = settings or PixelSettings()
    require_clustering("dbscan")
    config, views = _data(dataset, data_root, preset, assignments, overrides)
    train, val = (_whole(config, split) for split in ("train", "val"))
    options = {
        "embedding_dim": settings.embedding_dim, "width": settings.width,
        "normalise": settings.normalise,
    }  # fmt: skip
    crop = min(settings.crop, max(*train.image(0).shape[:2], LEAST_CROP))
    section = settings.train_section(len(train))
    config = config.model_copy(
        update={
            "model": {"name": PIXEL_BASELINE, "crop": crop, **views, **options},
            "loss": {"name": "discriminative"},
            "train": section,
        }
    )
    torch.manual_seed(settings.seed)
    model = PixelEmbedder(**options)  # type: ignore[arg-type]
    objective = PixelObjective(normalise=settings.normalise)
    device = pick_device(settings.accelerator)
    checkpoint = None if resume is None else _to_go_on_from(resume, out, config)
    folder, moved = _folder(out, checkpoint, dataset)
    with atomic_path(folder.config) as temporary:
        temporary.write_text(config.to_yaml(), encoding="utf-8")
    if not quiet:
        if moved:
            print(f"the earlier run in {folder.path} is now in {moved}")
        parameters = sum(p.numel() for p in model.parameters())
        print(
            f"{dataset}: {len(train)} training images, {len(val)} for validation; {parameters:,} "
            f"parameters; folder {folder.path}"
        )
    state = RunState(config=config.to_dict())
    module = InfluencerModule(model, objective, section, state)
    stopped_by = fit(
        module,
        PixelSamples(train.samples, crop=crop, **views),
        HeldOutLoss(val, objective),
        folder,
        None if checkpoint is None else checkpoint.path,
        quiet,
        functools.partial(
            EpochControl, save_steps=settings.save_every * settings.steps_of_epoch(len(train))
        ),
    )
    if stopped_by is not None:
        raise Interrupted(stopped_by, folder, state.step)
    publish(folder.last, folder.final)
    best, found = load_embedder(folder.best)
    metrics = score_embedder(best.to(device), val, folder.path, quiet=quiet) | {
        "method": "unet",
        "dataset": dataset,
        "split": "val",
        "normalise": settings.normalise,
        "seed": settings.seed,
        "val_loss": found.state.metrics.get("val_loss", math.nan),
        "checkpoint_step": found.state.step,
        "steps": state.step,
        "fit_minutes": state.elapsed_seconds / 60,
        "num_parameters": sum(p.numel() for p in model.parameters()),
    }
    write_json(folder.metrics, metrics)
    return BaselineRun(folder.path, metrics)


def score_embedder(
    model: PixelEmbedder, samples: PixelSamples, out: Path | None = None, *, quiet: bool = True
) -> dict[str, Any]:
    """Metrics of a trained net on whole images, and files of what it finds; see
    :mod:`geoinfluencer.training.pixel_baseline.scoring`."""
    grouper = PixelGrouper(model.eval(), next(model.parameters()).device)
    if samples.given_pixels:
        return score_nodes(samples, grouper.nodes, out, quiet=quiet)
    return score_masks(samples, grouper.masks, out, quiet=quiet)


def load_embedder(path: str | Path) -> tuple[PixelEmbedder, Checkpoint]:
    """The net of a checkpoint, in evaluation mode, and the checkpoint.

    Raises:
        InputError: it is missing, damaged, or of another model.
    """
    found = load_checkpoint(path)
    options = found.state.config["model"]
    if options.get("name") != PIXEL_BASELINE:
        raise InputError(
            f"{path}: holds a model {options.get('name')!r}, not a pixel-embedding baseline; "
            "score it with geoinfluencer eval"
        )
    known = inspect.signature(PixelEmbedder).parameters
    model = PixelEmbedder(**{key: value for key, value in options.items() if key in known})
    model.load_state_dict(found.weights)
    return model.eval(), found


def baseline_data(
    dataset: str,
    data_root: str | Path | None = None,
    *,
    splits: Sequence[str] = ("train", "val"),
    preset: str | None = None,
    assignments: Sequence[str] = (),
    overrides: Layer | None = None,
) -> list[PixelSamples]:
    """Whole images of some splits of a dataset, as its configuration has them."""
    config, _ = _data(dataset, data_root, preset, assignments, overrides)
    return [_whole(config, split) for split in splits]


def _data(
    dataset: str,
    data_root: str | Path | None,
    preset: str | None,
    assignments: Sequence[str],
    overrides: Layer | None,
) -> tuple[RunConfig, dict[str, bool]]:
    """The dataset's configuration without its own augmentation, and what that was."""
    for text in assignments:
        if not text.startswith("data."):
            raise InputError(f"--set {text}: a baseline takes settings of data alone")
    config = resolve_config(
        dataset, preset=preset, assignments=assignments, data_root=data_root, overrides=overrides
    )
    views = {key: bool(config.data.get(key, False)) for key in ("mirror", "turn")}
    still = {key: False for key in views if key in config.data}
    return config.model_copy(update={"data": {**config.data, **still}}), views


def _whole(config: RunConfig, split: str) -> PixelSamples:
    cls = resolve_dataset(config.dataset)
    return PixelSamples(build_dataset(cls, config, split))


def _to_go_on_from(resume: str | Path, out: str | Path | None, config: RunConfig) -> Checkpoint:
    if str(resume) == "auto":
        if out is None:
            raise InputError("--resume auto: name the folder of the run with --out DIR")
        resume = PixelFolder(out).last
    _, checkpoint = load_embedder(resume)
    stored, now = checkpoint.state.config, config.to_dict()
    for section in ("dataset", "data", "model"):
        if stored[section] != now[section]:
            raise InputError(
                f"--resume {resume}: is a run with other settings of {section}; give those that it "
                "was started with, or start a new run"
            )
    for key in ("seed", "batch_size"):
        if stored["train"][key] != now["train"][key]:
            raise InputError(
                f"--resume {resume}: was started with {key} {stored['train'][key]}, not "
                f"{now['train'][key]}; a resumed run keeps it"
            )
    total, minutes = config.train.max_steps, config.train.max_minutes
    done = total is not None and checkpoint.state.step >= total
    if done or (minutes is not None and checkpoint.state.elapsed_seconds >= 60 * minutes):
        raise InputError(
            f"--resume {resume}: has run its {checkpoint.state.step} steps; raise --epochs or "
            "--max-minutes"
        )
    return checkpoint


def _folder(
    out: str | Path | None, checkpoint: Checkpoint | None, dataset: str
) -> tuple[PixelFolder, Path | None]:
    if checkpoint is not None:
        folder = PixelFolder(checkpoint.path.parent)
        if out is None or Path(out).resolve() == folder.path.resolve():
            folder.make()
            folder.lock()
            return folder, None
    found, moved = new_run(out, f"{dataset}-baseline", PixelFolder)
    assert isinstance(found, PixelFolder)
    return found, moved
