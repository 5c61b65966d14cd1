"""``compare --dataset NAME``: one ordinary training run per loss and seed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from geoinfluencer.compare.contestants import Contestant
from geoinfluencer.compare.folder import CompareFolder
from geoinfluencer.compare.outcome import Outcome, Subject
from geoinfluencer.compare.sample_scores import FILE, read_scores, write_scores
from geoinfluencer.compare.training_rows import Held, run_curve, run_row
from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.errors import InputError
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import resolve_config
from geoinfluencer.training.data import build_dataset, held_in_memory
from geoinfluencer.training.fitting.setup import limit_layer
from geoinfluencer.training.run import train
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.tasks import make_task

DECIDED = {  # setting -> the option of compare that decides it
    "loss.name": "--losses",
    "train.seed": "--seeds",
    "train.max_steps": "--max-steps",
    "train.max_minutes": "--max-minutes",
}


@dataclass(frozen=True)
class Training:
    """What all runs of a comparison share.

    Attributes:
        dataset, data_root, preset, assignments: as for ``train``.
        max_steps, max_minutes: of each run.
    """

    dataset: str
    data_root: str | None = None
    preset: str | None = None
    assignments: tuple[str, ...] = ()
    max_steps: int | None = None
    max_minutes: float | None = None

    def config(self, contestant: Contestant, seed: int) -> RunConfig:
        """The configuration of a run, checked.

        Raises:
            InputError: an unknown name, key or value.
        """
        return resolve_config(
            self.dataset,
            preset=self.preset,
            assignments=[*self.assignments, *contestant.assignments],
            data_root=self.data_root,
            overrides=limit_layer(seed, self.max_steps, self.max_minutes, None),
        )


def settle(training: Training, contestants: Sequence[Contestant]) -> Training:
    """The training with the preset that it will have, all configurations checked.

    Raises:
        InputError: a configuration is wrong, or sets what ``compare`` decides.
    """
    for assignment in training.assignments:
        _refuse_decided(f"--set {assignment}", assignment)
    for contestant in contestants:
        for setting in contestant.settings:
            place = f"--losses {contestant.name}"
            _refuse_decided(place, setting)
            if setting.startswith("data."):
                raise InputError(
                    f"{place}: all train on the same data and are scored on it; use --set {setting}"
                )
    configs = [training.config(contestant, 0) for contestant in contestants]
    return replace(training, preset=configs[0].preset)


def _refuse_decided(place: str, assignment: str) -> None:
    key = assignment.partition("=")[0].strip()
    if key in DECIDED:
        raise InputError(f"{place}: {key} is decided by compare; use {DECIDED[key]}")


def subject_of(training: Training, contestants: Sequence[Contestant]) -> tuple[Subject, Held]:
    """What the runs are scored by, and the samples that they are scored on."""
    config = training.config(contestants[0], 0)
    val = build_dataset(resolve_dataset(config.dataset), config, "val")
    task = make_task(val)
    name = task.primary_metric
    definitions = task.definitions()
    subject = Subject(
        training.dataset,
        f"final_{name}",
        f"{name} on val at the last validation: {definitions.get(name, 'larger is better')}",
        "minutes of fitting, validations on the way included",
        definitions,
    )
    samples = held_in_memory(val)
    labels = [samples[i].instance for i in range(len(samples))]  # type: ignore[arg-type]
    nodes = statistics.mean(len(ids) for ids in labels)
    instances = statistics.mean(len(ids[ids >= 0].unique()) for ids in labels)
    return subject, Held(samples, task, nodes, instances)


def run_trainings(
    outcome: Outcome,
    folder: CompareFolder,
    training: Training,
    contestants: Sequence[Contestant],
    held: Held,
    *,
    seeds: int,
    say: Callable[[str], None],
    finished: Callable[[], None],
) -> None:
    """Trains what is not there yet, goes on with what was interrupted.

    All losses run with a seed before the next seed begins: whenever it is stopped, what is there
    can be compared.

    Args:
        outcome: filled.
        folder: of the comparison; every run is a run folder below it.
        training: from :func:`settle`.
        contestants: the losses.
        held: from :func:`subject_of`.
        seeds: of weights and order, from 0.
        say: takes a line per run.
        finished: called after every run.
    """
    for seed in range(seeds):
        for contestant in contestants:
            run = RunFolder(folder.run("", contestant.folder, seed))
            config = training.config(contestant, seed)
            say(f"{contestant.name}, seed {seed}: {run.path}")
            failure = fit(run, training, contestant, seed)
            row = run_row(run, config, contestant, seed, held, failure)
            if not failure and not (run.path / FILE).is_file():
                write_scores(run, config, held.samples, held.task)
            scores = read_scores(run)
            if scores is not None:
                outcome.samples["", contestant.name, seed] = scores
            outcome.rows.append(row)
            curve = run_curve(run, contestant.name, seed, held.task.primary_metric)
            outcome.curves += [curve] if curve is not None else []
            quality = row[outcome.subject.quality]
            found = "undefined" if quality is None else f"{quality:.4f}"
            words = f"{outcome.subject.quality} {found}, {row['steps']} steps"
            say(f"  {failure or words}, {row['seconds'] / 60:.2f} min")
            finished()


def fit(run: RunFolder, training: Training, contestant: Contestant, seed: int) -> str:
    """Trains, goes on, or does nothing; what went wrong on the way, or empty.

    Raises:
        InputError: it could not even begin.
    """
    if run.metrics.is_file():
        return ""
    limits: dict[str, Any] = {
        "seed": seed, "max_steps": training.max_steps, "max_minutes": training.max_minutes,
        "data_root": training.data_root, "out": run.path, "quiet": True,
    }  # fmt: skip
    try:
        if run.last.is_file():
            train(training.dataset, resume="auto", **limits)
        else:
            assignments = [*training.assignments, *contestant.assignments]
            train(training.dataset, preset=training.preset, assignments=assignments, **limits)
    except InputError as error:
        if not run.last.is_file():  # it never began: the data or the folder is at fault
            raise
        return f"failed: {error}"
    return ""
