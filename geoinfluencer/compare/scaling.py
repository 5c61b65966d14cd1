"""``compare --dataset loss-scaling``: time and memory of one loss step against N, M and K."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from geoinfluencer.bench.limits import Budget
from geoinfluencer.bench.measure import timed
from geoinfluencer.bench.memory import added_peak_mb
from geoinfluencer.compare.contestants import Contestant, build
from geoinfluencer.compare.folder import CompareFolder, Row, write_values
from geoinfluencer.compare.laboratory import Size
from geoinfluencer.compare.outcome import Outcome, Subject
from geoinfluencer.errors import InputError

NAME = "loss-scaling"
NODES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
SIZES = (Size(100, 40), Size(300, 100), Size(1000, 300))
ROUNDS, SECONDS = 7, 3.0  # timed runs of a loss in a case, fewer where the seconds are spent
LEAD = 3.0  # of the logit of the query that stands for a node's instance, over N(0, 1) noise
SUBJECT = Subject(
    NAME,
    "seconds",
    "median seconds of one step of the loss, forward and backward",
    "",
    {
        "min_seconds": "fastest step",
        "added_mb": "MiB that a step adds at its peak, the gradient of the logits included",
    },
    lambda row: Size(row["queries"], row["instances"]).words,
)


def scaling_problem(nodes: int, size: Size, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits (N, M) of a model that has learnt half of it, and instance (N,).

    N(0, 1) noise, plus 3 at the query of the node's instance; labels uniform over the K instances
    and background.
    """
    generator = torch.Generator().manual_seed(seed)
    instance = torch.randint(0, size.instances + 1, (nodes,), generator=generator) - 1
    logits = torch.randn(nodes, size.queries, generator=generator)
    owner = torch.randperm(size.queries, generator=generator)
    real = (instance >= 0).nonzero()[:, 0]
    logits[real, owner[instance[real] % size.queries]] += LEAD
    return logits, instance


def run_scaling(
    outcome: Outcome,
    folder: CompareFolder,
    contestants: Sequence[Contestant],
    known: Mapping[str, type[nn.Module]],
    *,
    sizes: Sequence[Size],
    nodes: Sequence[int],
    deadline: float | None,
    memory_gb: float,
    say: Callable[[str], None],
) -> None:
    """Times what is not there yet, small sizes first: from them it is known what would not fit.

    Args:
        outcome: filled.
        folder: of the comparison; every case is one file below it.
        contestants: the losses.
        known: classes by name.
        sizes: (M, K).
        nodes: N.
        deadline: ``time.monotonic()`` after which no case is begun; None: no limit.
        memory_gb: added at most by one step, as predicted from the size before.
        say: takes one line per case and loss.
    """
    losses = {c.name: build(c, known) for c in contestants}
    for size in sizes:
        before: dict[str, Row] = {}
        for count in sorted(nodes):
            if count < size.instances:
                outcome.left_out.append(f"{size.words}, N = {count:,}: fewer nodes than instances")
                continue
            missing = []
            for contestant in contestants:
                path = _path(folder, contestant, size, count)
                if path.is_file():
                    before[contestant.name] = _read(path, contestant.name)
                    outcome.rows.append(before[contestant.name])
                else:
                    missing.append(contestant)
            if not missing:
                continue
            if deadline is not None and time.monotonic() > deadline:
                outcome.left_out.append(f"{size.words}, N = {count:,}: for want of time")
                continue
            kept = []
            for contestant in missing:
                reason = _objection(before.get(contestant.name), count, size, memory_gb)
                if reason:
                    outcome.left_out.append(
                        f"{size.words}, N = {count:,}: {contestant.name} {reason}"
                    )
                else:
                    kept.append(contestant)
            if not kept:
                continue
            for row in measure(count, size, {c.name: losses[c.name] for c in kept}):
                contestant = next(c for c in kept if c.name == row["loss"])
                write_values(_path(folder, contestant, size, count), row)
                before[row["loss"]] = row
                outcome.rows.append(row)
                say(_line(size, row))


def measure(nodes: int, size: Size, losses: Mapping[str, nn.Module]) -> list[Row]:
    """One row per loss: memory in a first run; then rounds in which each is timed once, in
    rotating order."""
    small = scaling_problem(10 * size.instances, size)
    for loss in losses.values():  # what is loaded once is not the memory of a step
        loss(small[0].requires_grad_(), small[1]).total.backward()
    logits, instance = scaling_problem(nodes, size)
    logits.requires_grad_()
    place = logits.device

    def step(loss: nn.Module) -> None:
        logits.grad = None
        loss(logits, instance).total.backward()

    memory: dict[str, float] = {}
    times: dict[str, list[float]] = {}
    for name, loss in losses.items():
        logits.grad = None
        memory[name], _ = added_peak_mb(lambda loss=loss: step(loss), place)  # type: ignore[misc]
        times[name] = []
    order = list(losses)
    for _ in range(ROUNDS):
        for name in order:
            if not times[name] or sum(times[name]) < SECONDS:
                times[name].append(timed(lambda name=name: step(losses[name]), place)[0])  # type: ignore[misc]
        order = order[1:] + order[:1]
    return [
        {
            "dataset": NAME,
            "nodes": nodes,
            "queries": size.queries,
            "instances": size.instances,
            "loss": name,
            "seed": 0,
            "steps": len(times[name]),
            "seconds": statistics.median(times[name]),
            "min_seconds": min(times[name]),
            "added_mb": None if math.isnan(memory[name]) else memory[name],
            "failure": "",
        }
        for name in losses
    ]


def _objection(before: Row | None, nodes: int, size: Size, memory_gb: float) -> str:
    """Why a loss is not run on so many nodes; empty: it may be. Both grow like N at least."""
    megabytes = 8 * nodes * size.queries / 2**20  # logits and their gradient
    seconds = 0.0
    if before is not None:
        factor = nodes / before["nodes"]
        megabytes = max(megabytes, factor * (before["added_mb"] or 0.0) + megabytes / 2)
        seconds = factor * before["seconds"]
    return Budget(seconds=60.0, memory_gb=memory_gb).objection(seconds, megabytes)


def crossover(ours: Mapping[int, float], theirs: Mapping[int, float]) -> str:
    """From which N on the first is quicker, in words; between measured sizes interpolated.

    Args:
        ours, theirs: N -> seconds.
    """
    shared = sorted(set(ours) & set(theirs))
    if not shared:
        return "has no size in common with it"
    gain = [math.log(theirs[n] / ours[n]) for n in shared]  # > 0: the first is quicker
    if all(value > 0 for value in gain):
        return "is quicker at every N measured"
    if all(value <= 0 for value in gain):
        return "is slower at every N measured"
    changes = [i for i in range(1, len(gain)) if (gain[i] > 0) != (gain[i - 1] > 0)]
    words = []
    for i in changes:
        part = gain[i - 1] / (gain[i - 1] - gain[i])
        place = math.exp((1 - part) * math.log(shared[i - 1]) + part * math.log(shared[i]))
        rounded = round(place, 1 - math.floor(math.log10(place)))
        words.append(f"{'quicker' if gain[i] > 0 else 'slower'} from N = {rounded:,.0f} on")
    return f"is {', '.join(words)}"


def _path(folder: CompareFolder, contestant: Contestant, size: Size, nodes: int) -> Path:
    group = f"M{size.queries}-K{size.instances}-N{nodes}"
    return folder.run(group, contestant.folder, 0).with_suffix(".json")


def _read(path: Path, loss: str) -> Row:
    try:
        return {**json.loads(path.read_text(encoding="utf-8")), "loss": loss}
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); delete it and run again") from error


def _line(size: Size, row: Row) -> str:
    memory = "" if row["added_mb"] is None else f", {row['added_mb']:.0f} MiB"
    return (
        f"{size.words}, N = {row['nodes']:,}: {row['loss']:<26} "
        f"{1e3 * row['seconds']:.3g} ms{memory}"
    )
