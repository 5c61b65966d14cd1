"""Runs a comparison from its first check to its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from geoinfluencer.bench import machine
from geoinfluencer.compare import free_logits, report, scaling, trainings
from geoinfluencer.compare.contestants import Contestant, build
from geoinfluencer.compare.folder import CompareFolder
from geoinfluencer.compare.laboratory import Size
from geoinfluencer.compare.outcome import Outcome


@dataclass(frozen=True)
class Setting:
    """What ``geoinfluencer compare`` was asked for.

    Attributes:
        contestants: the losses, in order.
        known: classes of the losses on query logits, by name; trainings look up their own.
        reference: one of the contestants' names.
        seeds: number of them, from 0.
        out: folder.
        command: the command line, for the record.
    """

    contestants: Sequence[Contestant]
    known: Mapping[str, type[nn.Module]]
    reference: str
    seeds: int
    out: Path
    command: str = "geoinfluencer compare"


Say = Callable[[str], None]


def run_laboratory(
    setting: Setting, say: Say, *, sizes: Sequence[Size], steps: int, max_minutes: float | None
) -> Outcome:
    """Free logits; ``max_minutes`` is that of everything together."""
    _check_options(setting)
    outcome, folder = Outcome(free_logits.SUBJECT, setting.reference), CompareFolder(setting.out)
    folder.open({"dataset": free_logits.NAME, "steps": steps})
    load = machine.load_average()
    try:
        free_logits.run_free_logits(
            outcome, folder, setting.contestants, setting.known, sizes=sizes, seeds=setting.seeds,
            steps=steps, deadline=_deadline(max_minutes), say=say,
        )  # fmt: skip
        about = {
            "problem": "x = F Q^T of rank 32, entries of F and Q from N(0, 0.1^2), N = 40 K nodes, "
            "labels uniform over K instances and background; Adam, learning rate 0.1; the same "
            "labels and factors for every loss of a seed",
        }
        report.write(folder, outcome, _about(setting, load, about))
    finally:
        folder.close()
    return outcome


def run_scaling(
    setting: Setting, say: Say, *, sizes: Sequence[Size], nodes: Sequence[int],
    max_minutes: float | None, memory_gb: float,
) -> Outcome:  # fmt: skip
    """Time and memory of single steps; ``max_minutes`` is that of everything together."""
    _check_options(setting)
    outcome, folder = Outcome(scaling.SUBJECT, setting.reference), CompareFolder(setting.out)
    folder.open({"dataset": scaling.NAME})
    load = machine.load_average()
    try:
        scaling.run_scaling(
            outcome, folder, setting.contestants, setting.known, sizes=sizes, nodes=nodes,
            deadline=_deadline(max_minutes), memory_gb=memory_gb, say=say,
        )  # fmt: skip
        about = {
            "problem": "N(0, 1) logits with 3 added at the query of the node's instance, labels "
            "uniform over K instances and background; one graph",
            "memory": f"added by one step; at most {memory_gb:g} GB, as predicted from the size "
            "before",
        }
        report.write(folder, outcome, _about(setting, load, about))
    finally:
        folder.close()
    return outcome


def run_trainings(setting: Setting, say: Say, training: trainings.Training) -> Outcome:
    """One training run per loss and seed; tables are written after each, figures at the end."""
    training = trainings.settle(training, setting.contestants)
    subject, held = trainings.subject_of(training, setting.contestants)
    outcome, folder = Outcome(subject, setting.reference), CompareFolder(setting.out)
    root = training.data_root
    shared: dict[str, Any] = {
        "dataset": training.dataset,
        "data_root": None if root is None else str(Path(root).resolve()),
        "preset": training.preset,
        "set": list(training.assignments),
        "max_steps": training.max_steps,
        "max_minutes": training.max_minutes,
    }
    folder.open(shared)
    load = machine.load_average()
    same = {
        "the same in all runs of a seed": "order of the samples, random numbers of every step, "
        "and initial weights where the losses use the same model",
        "samples": f"{len(held.samples)} on val, on average {held.nodes:,.0f} nodes and "  # type: ignore[arg-type]
        f"{held.instances:.3g} instances",
        **{key: str(value) for key, value in shared.items() if value not in (None, [])},
    }
    try:
        trainings.run_trainings(
            outcome, folder, training, setting.contestants, held, seeds=setting.seeds, say=say,
            finished=lambda: report.write(
                folder, outcome, _about(setting, load, same), pictures=False
            ),
        )  # fmt: skip
        report.write(folder, outcome, _about(setting, load, same))
    finally:
        folder.close()
    return outcome


def _check_options(setting: Setting) -> None:
    """A wrong option ends it before a folder is made."""
    for contestant in setting.contestants:
        build(contestant, setting.known)


def _deadline(minutes: float | None) -> float | None:
    return None if minutes is None else time.monotonic() + 60 * minutes


def _about(setting: Setting, load: list[float] | None, more: Mapping[str, str]) -> dict[str, str]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    place = machine.machine(device)
    threads = torch.get_num_threads()
    words = {
        "command": setting.command,
        **more,
        "machine": f"{place.get('gpu', place['cpu'])}, {place['cores']} cores, {threads} "
        f"thread{'s'[: threads > 1]}, torch {place['torch']}, {place['date']}",
    }
    noise = machine.noise_warning(load, machine.load_average(), threads)
    return words | ({"noise": noise} if noise else {})
