"""Instances for inputs without truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import check
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.fitting.progress import Progress
from geoinfluencer.training.scoring.evaluation import check_channels, evaluation_folder
from geoinfluencer.training.scoring.inference import (
    autocast_dtype,
    condense_result,
    pick_device,
    run_batches,
)
from geoinfluencer.training.tasks import task_class


def predict(
    checkpoint: str | Path,
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    accelerator: str = "auto",
    quiet: bool = True,
) -> list[Path]:
    """Writes the instance and the confidence of every node of some inputs.

    Args:
        checkpoint: a ``.ckpt`` file of ``train``.
        inputs: files or folders of the checkpoint's kind of data; truth is not looked at.
        out: folder for the predictions.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        quiet: no progress.

    Returns:
        The files written.

    Raises:
        InputError: an input is missing or unreadable, or does not fit the checkpoint.
    """
    if not inputs:
        raise InputError("predict: name at least one INPUT, a file or a folder")
    loaded = load_checkpoint(checkpoint)
    config: RunConfig = check(Layer(dict(loaded.state.config)))
    cls = resolve_dataset(config.dataset)
    known = loaded.state.data
    task = task_class(known["protocol"], str(loaded.path))(
        SimpleNamespace(category_ids=known.get("category_ids", ()))
    )
    condensation = loaded.condensation(config.condensation)
    folder = evaluation_folder(out)
    device = pick_device(accelerator)
    model = loaded.build_model().to(device)
    dtype = autocast_dtype(config.train.precision, device)
    records: list[Any] = []
    for path in dict.fromkeys(Path(item) for item in inputs):
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        samples = task.open_input(path, cls, config.data)
        total = len(samples)  # type: ignore[arg-type]
        if total == 0:
            raise InputError(f"{path}: no samples in it")
        check_channels(samples, loaded, f"{path}, first sample", truth=False)
        progress = Progress(f"predicting {path.name}", total, unit="samples", enabled=not quiet)
        for result in run_batches(
            model, samples, device, dtype, max_nodes=1, on_sample=progress.update
        ):
            records.append(task.record(condense_result(result, condensation)))
        progress.clear()
    return task.write_predictions(records, folder.path)
