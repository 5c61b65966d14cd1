"""``geoinfluencer compare``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from geoinfluencer.cli.arguments import add_dataset, add_set, at_least, folder
from geoinfluencer.cli.compare_kinds import KINDS, TRAINING, kind_of
from geoinfluencer.errors import InputError

if TYPE_CHECKING:
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
  compare --dataset object-counts
          recall against the number of tracks: queries that follow the scene against --queries M
          learned ones, two training runs per loss and seed

losses: mask-influencer, hungarian, hungarian-ce, sinkhorn, sinkhorn-ce, power-softmin, gm-product,
published-mask-influencer; influencer (embeddings) in trainings. With options of the loss, or (a key
with a dot) settings of the run, a variant takes part as a loss of its own:
mask-influencer:coupling=none, hungarian:model.queries=learned:model.num_queries=200.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    add_dataset(parser, required=True)
    parser.add_argument(
        "--losses",
        metavar="A,B,C",
        help="default: all; in trainings mask-influencer, hungarian, sinkhorn, power-softmin, "
        "influencer; object-counts: mask-influencer, hungarian",
    )
    parser.add_argument(
        "--reference", metavar="LOSS", help="the others' differences are to it (default: hungarian)"
    )
    parser.add_argument(
        "--seeds",
        type=at_least(int, 1),
        metavar="N",
        help="default: 5; free-logits: 20, object-counts: 3",
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
    parser.add_argument(
        "--queries",
        type=at_least(int, 1),
        metavar="M",
        help="learned queries in object-counts (default: 50)",
    )
    parser.add_argument(
        "--counts",
        type=at_least(int, 1),
        nargs="+",
        metavar="K",
        help="tracks in the test events of object-counts (default: 10 20 50 100 150 200)",
    )
    parser.add_argument(
        "--particles",
        type=at_least(int, 1),
        metavar="N",
        help="tracks to score at every count of object-counts (default: 1000)",
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
            outcome = kind_of(options.dataset).start(setting, options, _say)
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


def _check(options: argparse.Namespace) -> None:
    """Refuses options that would be without effect."""
    every = frozenset().union(*(kind.options for kind in (TRAINING, *KINDS.values())))
    for name in sorted(every - kind_of(options.dataset).options):
        if getattr(options, name) not in (None, []):
            option = "--set" if name == "assignments" else f"--{name.replace('_', '-')}"
            raise InputError(f"{option}: has no effect with --dataset {options.dataset}; drop it")


def _setting(options: argparse.Namespace) -> Setting:
    from geoinfluencer.compare.contestants import choose_reference, parse_losses
    from geoinfluencer.compare.run import Setting

    kind = kind_of(options.dataset)
    known = kind.known()
    losses = ",".join(kind.losses or known) if options.losses is None else options.losses
    contestants = parse_losses(losses, known)
    reference = choose_reference(options.reference, contestants)
    out = Path(options.out or f"runs/compare-{options.dataset.replace(':', '-')}")
    command = shlex.join(["geoinfluencer", *sys.argv[1:]])
    return Setting(contestants, known, reference, options.seeds or kind.seeds, out, command)


def _say(line: str) -> None:
    print(line, flush=True)
