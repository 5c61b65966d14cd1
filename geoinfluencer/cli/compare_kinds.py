"""What ``geoinfluencer compare`` can run: the options that each kind takes, and its start."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoinfluencer.errors import InputError

if TYPE_CHECKING:
    from torch import nn

    from geoinfluencer.compare.laboratory import Size
    from geoinfluencer.compare.outcome import Outcome
    from geoinfluencer.compare.run import Setting
    from geoinfluencer.compare.trainings import Training

Known = Mapping[str, "type[nn.Module]"]
Start = Callable[["Setting", argparse.Namespace, Callable[[str], None]], "Outcome"]


@dataclass(frozen=True)
class Kind:
    """A kind of comparison on the command line.

    Attributes:
        options: those it has a use for, beside ``losses``, ``max_minutes``, ``threads`` and
            ``out``, which all have.
        start: runs it.
        losses: of ``--losses`` where none are named; empty: all.
        seeds: likewise.
        embeddings: whether losses on embeddings take part too.
    """

    options: frozenset[str]
    start: Start
    losses: tuple[str, ...] = ()
    seeds: int = 5
    embeddings: bool = False

    def known(self) -> Known:
        """The losses that can take part, by name."""
        from geoinfluencer.losses.registry import MASK_LOSSES
        from geoinfluencer.training.objective import LOSSES

        return LOSSES if self.embeddings else MASK_LOSSES


def kind_of(dataset: str) -> Kind:
    """Training runs, unless the name is that of a study."""
    return KINDS.get(dataset, TRAINING)


def _free_logits(
    setting: Setting, options: argparse.Namespace, say: Callable[[str], None]
) -> Outcome:
    from geoinfluencer.compare import laboratory
    from geoinfluencer.compare.run import run_laboratory

    return run_laboratory(
        setting, say, sizes=_sizes(options.sizes) or laboratory.SIZES,
        steps=options.max_steps or laboratory.STEPS, max_minutes=options.max_minutes,
    )  # fmt: skip


def _loss_scaling(
    setting: Setting, options: argparse.Namespace, say: Callable[[str], None]
) -> Outcome:
    from geoinfluencer.bench.limits import default_memory_gb
    from geoinfluencer.compare import scaling
    from geoinfluencer.compare.run import run_scaling

    return run_scaling(
        setting, say, sizes=_sizes(options.sizes) or scaling.SIZES,
        nodes=options.nodes or scaling.NODES, max_minutes=options.max_minutes,
        memory_gb=options.max_memory_gb or default_memory_gb(),
    )  # fmt: skip


def _object_counts(
    setting: Setting, options: argparse.Namespace, say: Callable[[str], None]
) -> Outcome:
    from geoinfluencer.compare import object_counts
    from geoinfluencer.compare.run import run_object_counts

    study = object_counts.Study(
        _runs(options, object_counts.DATASET, options.preset or object_counts.PRESET),
        options.queries or object_counts.QUERIES,
        tuple(sorted(set(options.counts or object_counts.COUNTS))),
        options.particles or object_counts.PARTICLES,
    )
    return run_object_counts(setting, say, study)


def _training(setting: Setting, options: argparse.Namespace, say: Callable[[str], None]) -> Outcome:
    from geoinfluencer.compare.run import run_trainings

    return run_trainings(setting, say, _runs(options, options.dataset, options.preset))


def _runs(options: argparse.Namespace, dataset: str, preset: str | None) -> Training:
    from geoinfluencer.compare.trainings import Training

    return Training(
        dataset, options.data_root, preset, tuple(options.assignments), options.max_steps,
        options.max_minutes,
    )  # fmt: skip


def _sizes(texts: list[str] | None) -> tuple[Size, ...]:
    from geoinfluencer.compare.laboratory import Size

    found = []
    for text in texts or ():
        match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)
        if match is None:
            raise InputError(f"--sizes {text}: expected MxK, for example 100x40")
        found.append(Size(int(match[1]), int(match[2])))
    return tuple(dict.fromkeys(found))


TRAINING = Kind(
    frozenset({"reference", "seeds", "max_steps", "preset", "assignments", "data_root"}),
    _training,
    ("mask-influencer", "hungarian", "sinkhorn", "power-softmin", "influencer"),
    embeddings=True,
)
KINDS = {
    "free-logits": Kind(
        frozenset({"reference", "seeds", "max_steps", "sizes"}), _free_logits, seeds=20
    ),
    "loss-scaling": Kind(
        frozenset({"reference", "sizes", "nodes", "max_memory_gb"}), _loss_scaling
    ),
    "object-counts": Kind(
        frozenset(
            {"seeds", "max_steps", "preset", "assignments", "queries", "counts", "particles"}
        ),
        _object_counts,
        ("mask-influencer", "hungarian"),
        seeds=3,
    ),
}
