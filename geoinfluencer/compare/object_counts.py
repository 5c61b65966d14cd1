"""``compare --dataset object-counts``: queries that follow the scene against a fixed number, on
events with ever more tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset
from torch_geometric.data import Data

from geoinfluencer.compare.contestants import Contestant
from geoinfluencer.compare.count_scores import METRICS, count_samples, read_count, score_count
from geoinfluencer.compare.folder import CompareFolder, Row
from geoinfluencer.compare.outcome import Outcome, Subject
from geoinfluencer.compare.training_rows import run_curve, spent
from geoinfluencer.compare.trainings import Training, fit, settle
from geoinfluencer.datasets import ToyTracks
from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.run_folder import RunFolder, write_json
from geoinfluencer.training.scoring.inference import pick_device
from geoinfluencer.training.tasks import make_task

NAME = "object-counts"
DATASET, PRESET = "toy-tracks", "object-counts"
COUNTS, PARTICLES, QUERIES = (10, 20, 50, 100, 150, 200), 1000, 50
INFLUENCER, LEARNED = "influencer", "learned"  # the two values of model.queries
SUBJECT = Subject(
    NAME,
    "recall",
    METRICS["recall"],
    "of fitting, validations on the way included",
    {
        "kind": "influencer queries are nodes that the model chooses, as many as the event asks "
        "for; learned ones are parameters, the same for every event",
        **METRICS,
        "most_trained": "tracks of the fullest training events",
    },
    lambda row: str(row["loss"]),
)


@dataclass(frozen=True)
class Study:
    """What is trained and what it is scored on.

    Attributes:
        training: of all runs, on toy tracks.
        queries: M, the number of learned queries.
        counts: of tracks in the test events, ascending.
        particles: tracks scored at every count.
    """

    training: Training
    queries: int = QUERIES
    counts: tuple[int, ...] = COUNTS
    particles: int = PARTICLES

    def arms(self, contestant: Contestant) -> dict[str, Contestant]:
        """Kind of queries -> the loss with such queries."""
        settings = {
            INFLUENCER: ("model.queries=influencer",),
            LEARNED: ("model.queries=learned", f"model.num_queries={self.queries}"),
        }
        return {
            kind: replace(
                contestant,
                name=":".join((contestant.name, *own)),
                settings=(*contestant.settings, *own),
            )
            for kind, own in settings.items()
        }


def settle_study(study: Study, contestants: Sequence[Contestant]) -> Study:
    """The study with all configurations checked.

    Raises:
        InputError: a configuration is wrong, or sets what the study decides.
    """
    for contestant in contestants:
        given = [(f"--losses {contestant.name}", setting) for setting in contestant.settings]
        given += [(f"--set {setting}", setting) for setting in study.training.assignments]
        for place, setting in given:
            if setting.partition("=")[0].strip() in ("model.queries", "model.num_queries"):
                raise InputError(f"{place}: is what {NAME} compares; use --queries M")
    arms = [arm for contestant in contestants for arm in study.arms(contestant).values()]
    training = settle(study.training, arms)
    for arm in arms:
        most = training.config(arm, 0).model["max_queries"]
        if most is not None and most < max(study.counts):
            raise InputError(
                f"--counts {max(study.counts)}: more than model.max_queries={most} allows "
                f"influencer queries; give --set model.max_queries={2 * max(study.counts)}"
            )
    return replace(study, training=training)


def most_trained(config: RunConfig) -> int:
    """Tracks of the fullest training events."""
    data = config.data
    return int(data["num_tracks_max"] or data["num_tracks"])


def run_object_counts(
    outcome: Outcome,
    folder: CompareFolder,
    study: Study,
    contestants: Sequence[Contestant],
    *,
    seeds: int,
    say: Callable[[str], None],
    finished: Callable[[], None],
) -> None:
    """Trains and scores what is not there yet, goes on with what was interrupted.

    Args:
        outcome: filled: a row per loss, kind of queries, seed and count.
        folder: of the comparison; every run is a run folder below it, and every count that it is
            scored on a file ``counts/K.json`` in that.
        study: from :func:`settle_study`.
        contestants: the losses.
        seeds: of weights and order, from 0.
        say: takes lines.
        finished: called after both runs of a loss.
    """

    @cache
    def samples(count: int) -> Sequence[Data] | Dataset[Data]:
        config = study.training.config(contestants[0], 0)
        return count_samples(config, count, study.particles)

    for seed in range(seeds):
        for contestant in contestants:
            for kind, arm in study.arms(contestant).items():
                run = RunFolder(folder.run("", arm.folder, seed))
                config = study.training.config(arm, seed)
                say(f"{arm.name}, seed {seed}: {run.path}")
                failure = fit(run, study.training, arm, seed)
                if not failure:
                    _score(run, config, study, samples)
                shared = {"loss": contestant.name, "seed": seed, "kind": kind, "failure": failure}
                rows = [_row(run, config, count, shared) for count in study.counts]
                outcome.rows += rows
                curve = run_curve(run, contestant.name, seed, ToyTracks.primary_metric)
                outcome.curves += [replace(curve, group=kind)] if curve is not None else []
                recalls = (f"{row['recall']:.3f} at {row['instances']}" for row in rows
                           if row["recall"] is not None)  # fmt: skip
                say(f"  {failure or 'recall ' + ', '.join(recalls)}, "
                    f"{rows[0]['seconds'] / 60:.2f} min")  # fmt: skip
            finished()


def _score(
    run: RunFolder,
    config: RunConfig,
    study: Study,
    samples: Callable[[int], Sequence[Data] | Dataset[Data]],
) -> None:
    """Writes the scores of ``best.ckpt`` that are not there."""
    missing = [count for count in study.counts if not _path(run, count).is_file()]
    if not missing:
        return
    best, device = load_checkpoint(run.best), pick_device(config.train.accelerator)
    model, settings = best.build_model(), best.condensation(config.condensation)
    task = make_task(ToyTracks(None, split="test", **config.data))
    for count in missing:
        scores = score_count(
            model, samples(count), task, settings, count=count, device=device,
            precision=config.train.precision,
        )  # fmt: skip
        _path(run, count).parent.mkdir(exist_ok=True)
        write_json(_path(run, count), scores)


def _row(run: RunFolder, config: RunConfig, count: int, shared: dict[str, Any]) -> Row:
    names = ("nodes", *METRICS)
    scores = dict.fromkeys(names) if shared["failure"] else read_count(_path(run, count))
    if shared["kind"] == LEARNED:
        scores["queries"] = config.model["num_queries"]
    steps, seconds = spent(run)
    return {
        "dataset": NAME,
        "nodes": scores["nodes"],
        "queries": scores["queries"],
        "instances": count,
        "loss": shared["loss"],
        "seed": shared["seed"],
        "steps": steps,
        "seconds": seconds,
        "kind": shared["kind"],
        **{name: scores[name] for name in METRICS if name != "queries"},
        "most_trained": most_trained(config),
        "failure": shared["failure"],
    }


def _path(run: RunFolder, count: int) -> Path:
    return run.path / "counts" / f"{count}.json"
