"""Everything that is settled before the first step: configuration, folder, resumption."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import check, resolve_config
from geoinfluencer.training.configuration.yaml_layers import Layer, assign, merge, parse_assignments
from geoinfluencer.training.run_folder import RunFolder, latest_run, new_run

_FOLDER_VARIABLE = "GEOINFLUENCER_RUN_FOLDER"  # tells further processes of a run where it is


@dataclass(frozen=True)
class Setup:
    """A run about to start; nothing is written yet.

    Attributes:
        config: resolved and checked.
        out: the folder asked for; None: a new one under ``runs/``.
        checkpoint: to go on from; None: from scratch.
        is_first: whether this is the process that writes and speaks.
        notes: for the user.
    """

    config: RunConfig
    out: Path | None
    checkpoint: Path | None
    is_first: bool
    notes: list[str] = field(default_factory=list)

    def claim_folder(self) -> tuple[RunFolder, list[str]]:
        """Makes and locks the run folder and writes ``config.yaml``; called when all else is known
        to be good. An earlier run in it is moved aside.

        Returns:
            The folder, and what the user should know about it.
        """
        if not self.is_first:
            return _shared_folder(self.out), []
        notes = []
        if self.checkpoint is not None and self.out is not None:
            folder = RunFolder(self.out)
            folder.make()
            folder.lock()
        else:
            folder, moved = new_run(self.out, self.config.dataset)
            notes = [f"the earlier run in {folder.path} is now in {moved}"] if moved else []
        os.environ[_FOLDER_VARIABLE] = str(folder.path.resolve())
        with atomic_path(folder.config) as temporary:
            temporary.write_text(self.config.to_yaml(), encoding="utf-8")
        return folder, notes


def prepare_run(
    dataset: str | None,
    *,
    data_root: str | Path | None,
    config: str | Path | Mapping[str, Any] | None,
    preset: str | None,
    assignments: Sequence[str],
    seed: int | None,
    max_steps: int | None,
    max_minutes: float | None,
    out: str | Path | None,
    resume: str | Path | None,
    devices: int | None,
) -> Setup:
    """Resolves the arguments of :func:`geoinfluencer.training.run.train`."""
    limits = limit_layer(seed, max_steps, max_minutes, devices)
    first = int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0
    if resume is not None:
        if config is not None or preset is not None:
            name = "--config" if config is not None else "--preset"
            raise InputError(
                f"{name}: a resumed run keeps its configuration; give train.* with --set, or start "
                "a new run"
            )
        checkpoint, folder = find_checkpoint(resume, out, dataset)
        resolved = resumed_config(checkpoint, dataset, data_root, assignments, limits)
        return Setup(resolved, folder.path, checkpoint, first, [f"going on from {checkpoint}"])
    resolved = resolve_config(
        dataset,
        config=config,
        preset=preset,
        assignments=assignments,
        data_root=data_root,
        overrides=limits,
    )
    notes = []
    if resolved.preset is not None and preset is None:
        notes = [f"preset {resolved.preset} (fitted to this machine; --preset takes another)"]
    return Setup(resolved, None if out is None else Path(out), None, first, notes)


def check_stem(config: RunConfig) -> None:
    """Raises InputError if a model with a stem gets samples without pixels."""
    if config.model.get("stem") is not None and config.data.get("pixels") is False:
        raise InputError(
            f"model.stem={config.model['stem']} reads pixels, which the samples lack; keep them "
            "with --set data.pixels=true"
        )


def limit_layer(
    seed: int | None, max_steps: int | None, max_minutes: float | None, devices: int | None
) -> Layer:
    """The command line's own options; a limit in minutes alone lifts the one in steps."""
    layer = Layer()
    given = {"seed": seed, "max_steps": max_steps, "max_minutes": max_minutes, "devices": devices}
    for key, value in given.items():
        if value is not None:
            option = f"--{key.replace('_', '-')} {value}"
            layer = merge(layer, assign(("train", key), value, option))
    if max_minutes is not None and max_steps is None:
        layer = merge(layer, assign(("train", "max_steps"), None, f"--max-minutes {max_minutes}"))
    return layer


def find_checkpoint(
    resume: str | Path, out: str | Path | None, dataset: str | None
) -> tuple[Path, RunFolder]:
    """The checkpoint of ``--resume`` and the folder that the run goes on in.

    ``auto`` is ``last.ckpt`` of ``--out``, else of the dataset's latest run under ``runs/``. A
    named checkpoint goes on in its own folder, or in ``--out``, which then must be new.
    """
    if str(resume) == "auto":
        if out is None and dataset is None:
            raise InputError("--resume auto: name the run with --out DIR or --dataset NAME")
        folder = RunFolder(out) if out is not None else latest_run(str(dataset))
        if not folder.last.is_file():
            raise InputError(
                f"--resume auto: no checkpoints/last.ckpt in {folder.path}; start anew without "
                "--resume, or name a checkpoint"
            )
        return folder.last, folder
    path = Path(resume)
    own = RunFolder(path.parent.parent)
    if out is None or Path(out).resolve() == own.path.resolve():
        load_checkpoint(path)
        return path, own
    folder = RunFolder(out)
    if folder.holds_run():
        raise InputError(
            f"--out {out}: holds another run than {path}; name a new folder or leave out --out"
        )
    return path, folder


def resumed_config(
    checkpoint: Path,
    dataset: str | None,
    data_root: str | Path | None,
    assignments: Sequence[str],
    limits: Layer,
) -> RunConfig:
    """The checkpoint's configuration with other limits; nothing that its weights depend on.

    Raises:
        InputError: another dataset, or an assignment outside the train section.
    """
    stored = load_checkpoint(checkpoint).of_graphs().state.config
    if dataset is not None and dataset != stored["dataset"]:
        raise InputError(
            f"--resume {checkpoint}: is a run on {stored['dataset']}, not on {dataset}"
        )
    given = parse_assignments(assignments)
    for path, origin in given.origins.items():
        if path[0] != "train":
            raise InputError(f"{origin}: a resumed run takes only train.* keys; start a new run")
    if (
        limits.values.get("train", {}).get("seed", stored["train"]["seed"])
        != stored["train"]["seed"]
    ):
        raise InputError("--seed: a resumed run keeps its seed; start a new run for another one")
    layer = merge(merge(Layer(dict(stored)), given), limits)
    if data_root is not None:
        layer = merge(layer, assign(("data_root",), str(data_root), "--data-root"))
    return check(layer)


def _shared_folder(out: str | Path | None) -> RunFolder:
    """The run folder as the first process announced it."""
    path = os.environ.get(_FOLDER_VARIABLE) or out
    if path is None:
        raise InputError("--out: name the run folder when the processes are started from outside")
    return RunFolder(path)
