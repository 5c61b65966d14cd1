"""``geoinfluencer compare``."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from geoinfluencer.cli.arguments import add_dataset, add_set, at_least, folder
from geoinfluencer.errors import InputError

if TYPE_CHECKING:
    from geoinfluencer.compare.laboratory import Size
    from geoinfluencer.compare.outcome import Outcome
    from geoinfluencer.compare.run import Setting

NAME = "compare"
HELP = "losses against each other, everything else equal"
DESCRIPTION = """\
Trains (or optimises, or times) with several losses, everything else equal, and says which
differences mean something. Writes results.json, results.csv, results.md, plots/ and report.html.
Whoever stops it goes on with the same command: finished runs are not repeated.

  compare --dataset toy-tracks --losses mask-influencer,hungarian --seeds 3 --max-steps 600
          one ordinary training run per loss and seed, in runs/ of --out: same order of the samples,
          same initial weights, same number of steps (or, with --max-minutes, same time)
  compare --dataset free-logits
          no network: free logits under each loss, 400 steps, 20 seeds, four sizes
  compare --dataset loss-scaling
          time and memory of one loss step against the number of nodes

losses: mask-influencer, hungarian, hungarian-ce, sinkhorn, sinkhorn-ce, power-softmin, gm-product,
published-mask-influencer; influencer (embeddings) in trainings. With options of the loss:
mask-influencer:coupling=none takes part as a loss of its own.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    add_dataset(parser, required=True)
    parser.add_argument(
        "--losses",
        metavar="A,B,C",
        help="default: all; in trainings mask-influencer, hungarian, sinkhorn, power-softmin, "
        "influencer",
    )
    parser.add_argument(
        "--reference", metavar="LOSS", help="the others' differences are to it (default: hungarian)"
    )
    parser.add_argument(
        "--seeds", type=at_least(int, 1), metavar="N", help="default: 5; free-logits: 20"
    )
    parser.add_argument("--max-steps", type=at_least(int, 1), metavar="N", help="of each run")
    parser.add_argument(
        "--max-minutes",
        type=at_least(float, 0, open=True),
        metavar="M",
        help="of fitting, each run; free-logits, loss-scaling: of everything",
    )
    parser.add_argument("--preset", metavar="NAME", help="of the dataset, as for train")
    add_set(parser, "one setting of all runs, such as train.batch_size=4")
    parser.add_argument(
        "--sizes",
        nargs="+",
        metavar="MxK",
        help="queries x instances (default: 20x10 60x10 100x40 400x100; "
        "loss-scaling: 100x40 300x100 1000x300)",
    )
    parser.add_argument(
        "--nodes",
        type=at_least(int, 1),
        nargs="+",
        metavar="N",
        help="of loss-scaling (default: 1000 to 1000000)",
    )
    parser.add_argument("--threads", type=at_least(int, 1), metavar="N", help="default: torch's")
    parser.add_argument(
        "--max-memory-gb",
        type=at_least(float, 0, open=True),
        metavar="GB",
        help="of one step in loss-scaling (default: half of what is free, 12 at most)",
    )
    parser.add_argument("--out", type=folder, metavar="DIR", help="default: runs/compare-DATASET")


def run(options: argparse.Namespace) -> int:
    """Compares; prints what is running, the findings and where the report is."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, as torch brings OpenMP
    from contextlib import nullcontext

    from geoinfluencer.bench import limits
    from geoinfluencer.compare import report
    from geoinfluencer.training import Interrupted

    _check(options)
    if options.threads is not None and options.threads > limits.cores():
        raise InputError(
            f"--threads {options.threads}: this process may use {limits.cores()} cores"
        )
    setting = _setting(options)
    threads = limits.threads(options.threads) if options.threads else nullcontext()
    try:
        with threads:
            outcome = _start(setting, options)
    except Interrupted as stop:
        print(
            f"geoinfluencer: stopped at step {stop.step} of {stop.folder.path}; go on with the "
            "same command",
            file=sys.stderr,
        )
        return 128 + stop.number
    for group, lines in report.sentences(outcome).items():
        print(f"\n{group or outcome.subject.dataset}")
        for line in lines:
            print(f"  {line}")
    print(f"report: {setting.out}/report.html")
    return 0


FREE, SCALING = "free-logits", "loss-scaling"
TRAINED = ("mask-influencer", "hungarian", "sinkhorn", "power-softmin", "influencer")
_TRAINING = "training"
_USES = {  # option -> the kinds of comparison that have a use for it; those not listed: all
    "preset": (_TRAINING,),
    "assignments": (_TRAINING,),
    "data_root": (_TRAINING,),
    "seeds": (_TRAINING, FREE),
    "max_steps": (_TRAINING, FREE),
    "sizes": (FREE, SCALING),
    "nodes": (SCALING,),
    "max_memory_gb": (SCALING,),
}


def _check(options: argparse.Namespace) -> None:
    """Refuses options that would be without effect."""
    kind = options.dataset if options.dataset in (FREE, SCALING) else _TRAINING
    for name, uses in _USES.items():
        if getattr(options, name) not in (None, []) and kind not in uses:
            option = "--set" if name == "assignments" else f"--{name.replace('_', '-')}"
            raise InputError(f"{option}: has no effect with --dataset {options.dataset}; drop it")


def _setting(options: argparse.Namespace) -> Setting:
    from geoinfluencer.compare.contestants import choose_reference, parse_losses
    from geoinfluencer.compare.laboratory import SEEDS
    from geoinfluencer.compare.run import Setting
    from geoinfluencer.training.objective import LOSSES

    if options.dataset in (FREE, SCALING):
        from geoinfluencer.losses.registry import MASK_LOSSES as known

        default: tuple[str, ...] = tuple(known)
    else:
        known, default = LOSSES, TRAINED
    losses = ",".join(default) if options.losses is None else options.losses
    contestants = parse_losses(losses, known)
    reference = choose_reference(options.reference, contestants)
    seeds = options.seeds or (SEEDS if options.dataset == FREE else 5)
    out = Path(options.out or f"runs/compare-{options.dataset.replace(':', '-')}")
    command = shlex.join(["geoinfluencer", *sys.argv[1:]])
    return Setting(contestants, known, reference, seeds, out, command)


def _start(setting: Setting, options: argparse.Namespace) -> Outcome:
    from geoinfluencer.bench.limits import default_memory_gb
    from geoinfluencer.compare import laboratory, scaling
    from geoinfluencer.compare.run import run_laboratory, run_scaling, run_trainings
    from geoinfluencer.compare.trainings import Training

    def say(line: str) -> None:
        print(line, flush=True)

    minutes = options.max_minutes
    if options.dataset == FREE:
        sizes = _sizes(options.sizes) or laboratory.SIZES
        steps = options.max_steps or laboratory.STEPS
        return run_laboratory(setting, say, sizes=sizes, steps=steps, max_minutes=minutes)
    if options.dataset == SCALING:
        return run_scaling(
            setting, say, sizes=_sizes(options.sizes) or scaling.SIZES,
            nodes=options.nodes or scaling.NODES, max_minutes=minutes,
            memory_gb=options.max_memory_gb or default_memory_gb(),
        )  # fmt: skip
    training = Training(
        options.dataset, options.data_root, options.preset, tuple(options.assignments),
        options.max_steps, minutes,
    )  # fmt: skip
    return run_trainings(setting, say, training)


def _sizes(texts: list[str] | None) -> tuple[Size, ...]:
    from geoinfluencer.compare.laboratory import Size

    found = []
    for text in texts or ():
        match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)
        if match is None:
            raise InputError(f"--sizes {text}: expected MxK, for example 100x40")
        found.append(Size(int(match[1]), int(match[2])))
    return tuple(dict.fromkeys(found))
