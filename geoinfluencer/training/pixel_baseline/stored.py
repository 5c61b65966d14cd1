"""Checkpoints of the pixel-embedding baseline: read to be scored, or to be gone on from."""

from __future__ import annotations

import inspect
from pathlib import Path

from geoinfluencer.errors import InputError
from geoinfluencer.models.pixel_embedder import PixelEmbedder
from geoinfluencer.training.checkpoint import PIXEL_BASELINE, Checkpoint, load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.yaml_layers import Layer, merge
from geoinfluencer.training.pixel_baseline.data import data_config
from geoinfluencer.training.pixel_baseline.fitting import PixelFolder
from geoinfluencer.training.run_folder import new_run


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
    found.fill(model)
    return model.eval(), found


def to_go_on_from(resume: str | Path, out: str | Path | None, config: RunConfig) -> Checkpoint:
    """The checkpoint to resume, of a run with the same settings that has not come to its end.

    Args:
        resume: ``auto`` (``ckpt_last.pt`` in ``out``) or a checkpoint.
        out: folder of the run.
        config: of now.

    Raises:
        InputError: it is none, is of other settings, or there is nothing left to do.
    """
    if str(resume) == "auto":
        if out is None:
            raise InputError("--resume auto: name the folder of the run with --out DIR")
        resume = PixelFolder(out).last
    _, checkpoint = load_embedder(resume)
    stored, now = dict(checkpoint.state.config), config.to_dict()
    # keys that the dataset has had since were at what is their default
    defaults, _ = data_config(config.dataset, config.data_root, config.preset, (), None)
    stored["data"] = merge(Layer(defaults.to_dict()["data"]), Layer(stored["data"])).values
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


def run_folder(
    out: str | Path | None, checkpoint: Checkpoint | None, dataset: str
) -> tuple[PixelFolder, Path | None]:
    """The folder of a run, that of the checkpoint where it goes on in its place, and where an
    earlier run was moved to."""
    if checkpoint is not None:
        folder = PixelFolder(checkpoint.path.parent)
        if out is None or Path(out).resolve() == folder.path.resolve():
            folder.make()
            folder.lock()
            return folder, None
    found, moved = new_run(out, f"{dataset}-baseline", PixelFolder)
    assert isinstance(found, PixelFolder)
    return found, moved
