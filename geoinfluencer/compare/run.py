"""Runs a comparison from its first check to its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from geoinfluencer.bench import machine
from geoinfluencer.compare import free_logits, object_counts, report, scaling, trainings
from geoinfluencer.compare.contestants import Contestant, build
from geoinfluencer.compare.folder import CompareFolder
from geoinfluencer.compare.laboratory import Size
from geoinfluencer.compare.outcome import Outcome, Subject


@dataclass(frozen=True)
class Setting:
    """What ``geoinfluencer compare`` was asked for.

    Attributes:
        contestants: the losses, in order.
        known: classes of the losses that can take part, by name.
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
Write = Callable[..., None]  # (about, pictures=True): tables, figures and report


def run_laboratory(
    setting: Setting, say: Say, *, sizes: Sequence[Size], steps: int, max_minutes: float | None
) -> Outcome:
    """Free logits; ``max_minutes`` is that of everything together."""
    _check_options(setting)
    shared = {"dataset": free_logits.NAME, "steps": steps}
    with _comparison(setting, free_logits.SUBJECT, shared) as (outcome, folder, write):
        free_logits.run_free_logits(
            outcome, folder, setting.contestants, setting.known, sizes=sizes, seeds=setting.seeds,
            steps=steps, deadline=_deadline(max_minutes), say=say,
        )  # fmt: skip
        about = {
            "problem": "x = F Q^T of rank 32, entries of F and Q from N(0, 0.1^2), N = 40 K nodes, "
            "labels uniform over K instances and background; Adam, learning rate 0.1; the same "
            "labels and factors for every loss of a seed",
        }
        write(about)
    return outcome


def run_scaling(
    setting: Setting, say: Say, *, sizes: Sequence[Size], nodes: Sequence[int],
    max_minutes: float | None, memory_gb: float,
) -> Outcome:  # fmt: skip
    """Time and memory of single steps; ``max_minutes`` is that of everything together."""
    _check_options(setting)
    shared = {"dataset": scaling.NAME}
    with _comparison(setting, scaling.SUBJECT, shared) as (outcome, folder, write):
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
        write(about)
    return outcome


def run_trainings(setting: Setting, say: Say, training: trainings.Training) -> Outcome:
    """One training run per loss and seed; tables are written after each, figures at the end."""
    training = trainings.settle(training, setting.contestants)
    subject, held = trainings.subject_of(training, setting.contestants)
    shared = {"dataset": training.dataset, **_shared(training)}
    about = {
        "the same in all runs of a seed": "order of the samples, random numbers of every step, "
        "and initial weights where the losses use the same model",
        "samples": f"{len(held.samples)} on val, on average {held.nodes:,.0f} nodes and "  # type: ignore[arg-type]
        f"{held.instances:.3g} instances",
        **_words(shared),
    }
    with _comparison(setting, subject, shared) as (outcome, folder, write):
        trainings.run_trainings(
            outcome, folder, training, setting.contestants, held, seeds=setting.seeds, say=say,
            finished=lambda: write(about, pictures=False),
        )  # fmt: skip
        write(about)
    return outcome


def run_object_counts(setting: Setting, say: Say, study: object_counts.Study) -> Outcome:
    """Two training runs per loss and seed, which differ in their queries alone."""
    study = object_counts.settle_study(study, setting.contestants)
    shared = {
        "dataset": object_counts.NAME,
        **_shared(study.training),
        "queries": study.queries,
        "particles": study.particles,
    }
    about = {
        "the same in all runs of a seed": "order of the samples, random numbers of every step, "
        "steps, and initial weights of the encoder",
        "different": "model.queries alone: nodes of the event that the model chooses, or "
        f"{study.queries} learned vectors",
        "test events": f"with exactly K tracks, {study.particles:,} in all at every K; the same "
        "for all runs",
        **_words(shared),
    }
    with _comparison(setting, object_counts.SUBJECT, shared) as (outcome, folder, write):
        object_counts.run_object_counts(
            outcome, folder, study, setting.contestants, seeds=setting.seeds, say=say,
            finished=lambda: write(about, pictures=False),
        )  # fmt: skip
        write(about)
    return outcome


@contextmanager
def _comparison(
    setting: Setting, subject: Subject, shared: Mapping[str, Any]
) -> Iterator[tuple[Outcome, CompareFolder, Write]]:
    """What a comparison fills, its folder open for as long as it takes, and what writes it down."""
    outcome, folder = Outcome(subject, setting.reference), CompareFolder(setting.out)
    folder.open(shared)
    load = machine.load_average()

    def write(about: Mapping[str, str], *, pictures: bool = True) -> None:
        report.write(folder, outcome, _about(setting, load, about), pictures=pictures)

    try:
        yield outcome, folder, write
    finally:
        folder.close()


def _shared(training: trainings.Training) -> dict[str, Any]:
    root = training.data_root
    return {
        "data_root": None if root is None else str(Path(root).resolve()),
        "preset": training.preset,
        "set": list(training.assignments),
        "max_steps": training.max_steps,
        "max_minutes": training.max_minutes,
    }


def _words(shared: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in shared.items() if value not in (None, [])}


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
