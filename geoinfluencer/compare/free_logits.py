"""``compare --dataset free-logits``: the laboratory over sizes, losses and seeds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from geoinfluencer.compare.contestants import Contestant, build
from geoinfluencer.compare.curves import Curve
from geoinfluencer.compare.folder import CompareFolder, Row, write_values
from geoinfluencer.compare.laboratory import Size, free_problem, optimise
from geoinfluencer.compare.outcome import Outcome, Subject
from geoinfluencer.errors import InputError

NAME = "free-logits"
SUBJECT = Subject(
    NAME,
    "recovered",
    "share of the instances that some query matches with IoU > 0.5 after the last step, each node "
    "given to its largest logit above 0",
    "seconds in the loss, forward and backward",
    {
        "steps_to_99": "steps until 99 % were recovered for the first time",
        "other_seconds": "seconds outside the loss",
    },
    lambda row: Size(row["queries"], row["instances"]).words,
)


def run_free_logits(
    outcome: Outcome,
    folder: CompareFolder,
    contestants: Sequence[Contestant],
    known: Mapping[str, type[nn.Module]],
    *,
    sizes: Sequence[Size],
    seeds: int,
    steps: int,
    deadline: float | None,
    say: Callable[[str], None],
) -> None:
    """Runs what is not there yet; the losses take turns, so that noise strikes all of them.

    Args:
        outcome: filled.
        folder: of the comparison; every run is one file below it.
        contestants: the losses.
        known: classes by name.
        sizes: (M, K).
        seeds: of the problem, from 0.
        steps: of Adam.
        deadline: ``time.monotonic()`` after which no run is started; None: no limit.
        say: takes one line per size and loss.
    """
    for size in sizes:
        missed = 0
        for seed in range(seeds):
            for contestant in contestants:
                path = folder.run(f"M{size.queries}-K{size.instances}", contestant.folder, seed)
                path = path.with_suffix(".json")
                if not path.is_file():
                    if deadline is not None and time.monotonic() > deadline:
                        missed += 1
                        continue
                    write_values(path, _run(contestant, known, size, seed, steps))
                row, curve = _read(path, size.words, contestant.name)
                outcome.rows.append(row)
                outcome.curves.append(curve)
        if missed:
            outcome.left_out.append(f"{size.words}: {missed} runs, for want of time")
        for contestant in contestants:
            say(_line(size, contestant.name, outcome.rows))


def _run(
    contestant: Contestant, known: Mapping[str, type[nn.Module]], size: Size, seed: int, steps: int
) -> dict[str, Any]:
    trace = optimise(build(contestant, known), *free_problem(size, seed), steps)
    row: Row = {
        "dataset": NAME,
        "nodes": size.nodes,
        "queries": size.queries,
        "instances": size.instances,
        "loss": contestant.name,
        "seed": seed,
        "steps": trace.steps,
        "seconds": trace.seconds[-1],
        "recovered": None if trace.failure else trace.recovered[-1],
        "steps_to_99": None if trace.failure else trace.steps_to_99,
        "other_seconds": trace.other_seconds,
        "failure": trace.failure,
    }
    return {"row": row, "recovered": trace.recovered, "seconds": trace.seconds}


def _read(path: Path, group: str, loss: str) -> tuple[Row, Curve]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        row, value, seconds = stored["row"], stored["recovered"], stored["seconds"]
        steps = np.arange(len(value))
        curve = Curve(group, loss, row["seed"], steps, np.array(seconds), np.array(value))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); delete it and run again") from error
    return {**row, "loss": loss}, curve


def _line(size: Size, loss: str, rows: Sequence[Row]) -> str:
    mine = [row for row in rows if row["loss"] == loss and SUBJECT.group(row) == size.words]
    failures = [row["failure"] for row in mine if row["failure"]]
    mine = [row for row in mine if not row["failure"]]
    if not mine:
        return f"{size.words}: {loss}: {failures[0] if failures else 'not run'}"
    share = np.mean([row["recovered"] for row in mine])
    reached = sorted(row["steps_to_99"] for row in mine if row["steps_to_99"] is not None)
    steps = f"0.99 after {reached[0]} to {reached[-1]} steps" if reached else "never 0.99"
    of = "" if len(reached) in (0, len(mine)) else f" ({len(reached)} of {len(mine)} seeds)"
    done = sum(row["steps"] for row in mine)
    milliseconds = 1e3 * sum(row["seconds"] for row in mine) / max(done, 1)
    return f"{size.words}: {loss:<26} {share:.3f} {steps}{of}, {milliseconds:.3g} ms a step"
