"""``baseline``: what is trained on pixels beside the graph models, and scored as they are."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from geoinfluencer.condensation.unlearned import require_clustering
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.models.pixel_embedder import PixelEmbedder
from geoinfluencer.training.checkpoint import PIXEL_BASELINE, RunState, publish
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.fitting.module import InfluencerModule
from geoinfluencer.training.fitting.trainer import fit
from geoinfluencer.training.pixel_baseline.calibration import calibrated
from geoinfluencer.training.pixel_baseline.data import data_config, whole_images
from geoinfluencer.training.pixel_baseline.fitting import EpochControl, HeldOutLoss
from geoinfluencer.training.pixel_baseline.grouping import PixelGrouper
from geoinfluencer.training.pixel_baseline.objective import PixelObjective
from geoinfluencer.training.pixel_baseline.samples import PixelSamples
from geoinfluencer.training.pixel_baseline.scoring import score_masks, score_nodes
from geoinfluencer.training.pixel_baseline.settings import LEAST_CROP, PixelSettings
from geoinfluencer.training.pixel_baseline.stored import load_embedder, run_folder, to_go_on_from
from geoinfluencer.training.run import Interrupted
from geoinfluencer.training.run_folder import write_json
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
    split: str = "val",
    out: str | Path | None = None,
    resume: str | Path | None = None,
    quiet: bool = True,
) -> BaselineRun:
    """Trains the pixel-embedding baseline on a set of images and scores its best checkpoint: a
    U-Net, the discriminative loss, DBSCAN with the settings that are best on ``calib``.

    Args:
        dataset: a name or ``package.module:Class``.
        data_root: folder of the data.
        settings: of the training.
        preset: of the dataset's configuration, of which only ``data`` is read.
        assignments: ``data.key=value`` strings.
        overrides: further settings of ``data``.
        split: what is scored; ``val`` chooses the checkpoint in any case.
        out: folder; None: a new one under ``runs/``. An earlier run there is moved aside.
        resume: ``auto`` (``ckpt_last.pt`` in ``out``) or a checkpoint: goes on where it stopped.
        quiet: no progress, no messages.

    Raises:
        InputError: a file, name or setting is wrong.
        Interrupted: Ctrl-C or SIGTERM; ``ckpt_last.pt`` is there to go on from.
    """
    settings = settings or PixelSettings()
    require_clustering("dbscan")
    config, views = data_config(dataset, data_root, preset, assignments, overrides)
    train, calib, val = (whole_images(config, name) for name in ("train", "calib", "val"))
    scored = val if split == "val" else whole_images(config, split)
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
    checkpoint = None if resume is None else to_go_on_from(resume, out, config)
    folder, moved = run_folder(out, checkpoint, dataset)
    with atomic_path(folder.config) as temporary:
        temporary.write_text(config.to_yaml(), encoding="utf-8")
    parameters = sum(p.numel() for p in model.parameters())
    if not quiet:
        if moved:
            print(f"the earlier run in {folder.path} is now in {moved}")
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
    metrics = score_embedder(best.to(device), calib, scored, folder.path, quiet=quiet) | {
        "method": "unet",
        "dataset": dataset,
        "split": split,
        "normalise": settings.normalise,
        "seed": settings.seed,
        "val_loss": found.state.metrics.get("val_loss", math.nan),
        "checkpoint_step": found.state.step,
        "steps": state.step,
        "fit_minutes": state.elapsed_seconds / 60,
        "num_parameters": parameters,
    }
    write_json(folder.metrics, metrics)
    return BaselineRun(folder.path, metrics)


def score_embedder(
    model: PixelEmbedder,
    calib: PixelSamples,
    samples: PixelSamples,
    out: Path | None = None,
    *,
    quiet: bool = True,
) -> dict[str, Any]:
    """Metrics of a trained net on whole images, and files of what it finds; see
    :mod:`geoinfluencer.training.pixel_baseline.scoring`.

    Args:
        model: on its device.
        calib: choose DBSCAN's settings.
        samples: are scored.
        out: folder of what was found; None: writes nothing.
        quiet: no progress.
    """
    device = next(model.parameters()).device
    grouper, score = calibrated(PixelGrouper(model.eval(), device), calib)
    if samples.given_pixels:
        metrics = score_nodes(samples, grouper.nodes, out, quiet=quiet)
    else:
        metrics = score_masks(samples, grouper.masks, out, quiet=quiet)
    chosen = {name: getattr(grouper, name) for name in ("radius", "min_points", "min_size")}
    return metrics | chosen | {"calibration_score": score}
