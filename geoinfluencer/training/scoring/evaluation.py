"""``evaluate``: scores of a checkpoint on samples with truth."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import Checkpoint, load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import check, resolve_config
from geoinfluencer.training.configuration.yaml_layers import Layer, merge, parse_assignments
from geoinfluencer.training.data import (
    attribute,
    build_dataset,
    class_names,
    describe,
    same_folder,
)
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.baselines import calibration_samples, score_baselines
from geoinfluencer.training.scoring.image_pictures import MOST_OVERLAYS
from geoinfluencer.training.scoring.inference import pick_device
from geoinfluencer.training.scoring.reporting import write_results
from geoinfluencer.training.scoring.scores import score_samples
from geoinfluencer.training.tasks import make_task


def evaluation_config(
    checkpoint: Checkpoint,
    dataset: str | None,
    data_root: str | Path | None,
    assignments: Sequence[str] = (),
) -> RunConfig:
    """The checkpoint's configuration, its data section for the dataset to be scored.

    For another dataset than the one trained on that dataset's own options are taken, with the
    graph options of the checkpoint where it has such.
    """
    stored = dict(checkpoint.state.config)
    name = dataset or stored["dataset"]
    root = data_root if data_root is not None else stored["data_root"]
    if name != stored["dataset"]:
        known = inspect.signature(resolve_dataset(name)).parameters
        graph = {k: v for k, v in stored["data"].items() if k in ("graph", "pixels") and k in known}
        stored["data"] = resolve_config(name, config={"data": graph}).data
        root = data_root
    stored.update(dataset=name, data_root=None if root is None else str(root))
    changes = parse_assignments(assignments)
    for section in changes.values:
        if section not in ("data", "condensation"):
            raise InputError(
                f"{changes.origin((section,))}: an evaluation takes settings of data and "
                "condensation alone; the rest is fixed by the checkpoint"
            )
    return check(merge(Layer(stored), changes))


def choose_split(cls: type, config: RunConfig, checkpoint: Checkpoint) -> tuple[str, str]:
    """The split to score when none is named, and why: ``val``, or ``all`` of unknown events, or
    ``train`` of a folder that was not trained on and has no other."""
    if same_folder(config.data_root, checkpoint.state.config["data_root"]):
        return "val", "the held-out samples of the data trained on"
    seen = set(checkpoint.state.data.get("events", ()))
    try:
        names = set(attribute(build_dataset(cls, config, "all"), "event_names", ()))
    except (InputError, TypeError, ValueError) as error:
        return "val", f"split 'all' cannot be opened: {' '.join(str(error).split())}"
    if names and seen and not names & seen:
        return "all", "none of these events was seen in training"
    if (missing := _missing(cls, config, "val")) and not _missing(cls, config, "train"):
        return "train", f"there is no val: {missing}"
    return "val", "the held-out samples"


def _missing(cls: type, config: RunConfig, split: str) -> InputError | None:
    """What says that a split's file is not there; None: it is."""
    try:
        build_dataset(cls, config, split)
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return error
    return None


def evaluate(
    checkpoint: str | Path,
    dataset: str | None = None,
    *,
    data_root: str | Path | None = None,
    split: str | None = None,
    out: str | Path | None = None,
    assignments: Sequence[str] = (),
    accelerator: str = "auto",
    partial: bool = False,
    baselines: Sequence[str] = (),
    quiet: bool = True,
) -> dict[str, Any]:
    """Scores a checkpoint: outputs, condensation with the stored threshold, the protocol's metrics.

    Args:
        checkpoint: a ``.ckpt`` file of ``train``.
        dataset: a name or ``package.module:Class``; None: the one trained on.
        data_root: folder of the data; None: the one trained on.
        split: None: ``val``, or ``all`` when no event there was seen in training.
        out: folder for ``metrics.json``, the predictions and the report; None: writes nothing.
        assignments: ``section.key=value`` strings for the data or condensation section.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        partial: score a benchmark's split of which rooms are missing; the metrics then say so.
        baselines: clusterings without a model that are scored on the same graphs, their settings
            chosen on the checkpoint's own calibration samples: ``components``, ``dbscan``,
            ``hdbscan``; see :mod:`geoinfluencer.training.scoring.baselines`.
        quiet: no progress, no messages.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        InputError: a file, name or setting is wrong.
    """
    loaded = load_checkpoint(checkpoint).of_graphs()
    config = evaluation_config(loaded, dataset, data_root, assignments)
    cls = resolve_dataset(config.dataset)
    folder = evaluation_folder(out) if out is not None else None
    why = "as asked"
    if split is None:
        split, why = choose_split(cls, config, loaded)
    samples = build_dataset(cls, config, split)
    attribute(samples, "use_for_scoring", lambda: None)()
    if not attribute(samples, "has_truth", True):
        raise InputError(f"{config.data_root}: no truth to score against; use predict instead")
    missing = attribute(samples, "missing_rooms", "")
    if missing and not partial:
        raise InputError(
            f"{config.data_root}, split {split}: {missing}; or --partial scores those that are "
            "there and says so in every output"
        )
    task = make_task(samples)
    condensation = loaded.condensation(config.condensation)
    model = loaded.build_model()
    check_channels(samples, loaded, f"{config.dataset}, first sample of {split}", truth=True)
    learned = [name for _, name in sorted(loaded.state.class_map.items())]
    found = class_names(samples)
    if learned and found:  # else scores take no notice of classes
        check_classes(found, learned, f"{config.dataset}, split {split}", str(loaded.path))
    calib = calibration_samples(loaded, baselines, config) if baselines else []
    notes = [f"split {split}: {len(samples)} samples ({why})"]  # type: ignore[arg-type]
    notes += trained_on(samples, split, config, loaded)
    if not quiet:
        for note in notes:
            print(note)
    scores = score_samples(
        model,
        samples,
        task,
        condensation,
        device=pick_device(accelerator),
        precision=config.train.precision,
        quiet=quiet,
        with_records=True,
    )
    scores.metrics |= task.metrics_of(scores.records) | {
        "split": split,
        "seed": config.train.seed,
        "dataset": config.dataset,
        "checkpoint_step": loaded.state.step,
        **({"partial": True, "missing": missing} if missing else {}),
    }
    if baselines:
        scores.metrics["baselines"] = score_baselines(samples, calib, task, baselines)
    if folder is not None:
        folder.make()
        task.write_predictions(scores.records, folder.path)
        task.write_pictures(scores.records, folder.path, MOST_OVERLAYS)
        write_results(folder, task, scores, config, loaded.state)
    return scores.metrics


def evaluation_folder(out: str | Path) -> RunFolder:
    """The folder of an evaluation, made; that of a training run is refused.

    Raises:
        InputError: something else than an evaluation is there.
    """
    folder = check_evaluation_folder(out)
    folder.make()
    return folder


def check_evaluation_folder(out: str | Path) -> RunFolder:
    """The same, not made.

    Raises:
        InputError: something else than an evaluation is there.
    """
    folder = RunFolder(out)
    if folder.path.exists() and not folder.path.is_dir():
        raise InputError(f"--out {folder.path}: is a file; name a folder")
    if folder.holds_run():
        raise InputError(
            f"--out {folder.path}: holds a training run, whose metrics.json would be replaced; "
            f"name another folder, for example {folder.path / 'eval'}"
        )
    return folder


def check_channels(
    samples: Dataset[Data], checkpoint: Checkpoint, source: str, *, truth: bool
) -> None:
    """Raises InputError when the samples' features are not those the model was made for, or when
    they have no ``truth`` and should."""
    found, wanted = describe(samples, source, truth=truth), checkpoint.state.data
    for key, what in (("in_channels", "node"), ("edge_channels", "edge")):
        if found[key] != wanted[key]:
            raise InputError(
                f"{checkpoint.path}: made for {wanted[key]} {what} features, this data has "
                f"{found[key]}; use the dataset and options that it was trained with, or, where "
                "these are they, train again or use the version that wrote it, geoinfluencer "
                f"{checkpoint.state.versions['geoinfluencer']}, whose features were others"
            )


def check_classes(
    found: Sequence[str], expected: Sequence[str], source: str, reference: str
) -> None:
    """Raises InputError unless the classes of two places are the same, in the same order: a class
    is known by its number alone."""
    for number, names in enumerate(zip_longest(found, expected)):
        mine, other = ("missing" if name is None else f"'{name}'" for name in names)
        if mine != other:
            raise InputError(
                f"{source}: class {number} is {mine}, but {other} in {reference}; give both the "
                "same classes in the same order (COCO: the same categories with the same ids)"
            )


def trained_on(
    samples: Dataset[Data], split: str, config: RunConfig, checkpoint: Checkpoint
) -> list[str]:
    """A warning when events to be scored were trained on. Held-out splits of the same folder may
    share an event with the training: they are other parts of it."""
    names = set(attribute(samples, "event_names", ()))
    both = names & set(checkpoint.state.data.get("train_events", ()))
    same = same_folder(config.data_root, checkpoint.state.config["data_root"])
    if not both or (same and split not in ("train", "all")):
        return []
    return [f"warning: trained on {', '.join(sorted(both)[:3])}; these scores flatter"]
