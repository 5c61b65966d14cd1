"""``geoinfluencer bench``."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from geoinfluencer.cli.arguments import at_least, folder
from geoinfluencer.errors import InputError

if TYPE_CHECKING:
    from geoinfluencer.bench.run import Setting

NAME = "bench"
HELP = "time the ops beside every peer that is installed"
DESCRIPTION = """\
Times the ops of this package beside every peer that is installed: same inputs, same threads, runs
interleaved, results compared before anything is timed. Writes bench.json, bench.md and plots/.

  bench                          the preset 'quick', about a minute
  bench --preset table|growth    the table of docs/benchmarks.md; time and memory against N
  bench --tasks knn --points N   a grid of your own: every combination of tasks, sizes, dims, kinds

With a preset --tasks, --dims and --kinds choose among its cases, --points and --sizes replace its
sizes. tasks: potential, symmetric, condensation, attraction, knn, radius, segment-sum,
segment-logsumexp, segment-softmax, fps, grid. kinds: clustered, random, ball.
peers: torch_cluster, torch_scatter, scipy, sklearn, keops, object_condensation, dense, torch,
torch_compile. One that is missing is named with the line that installs it; one that would take
more than the budget, as predicted from a small run, is left out and said so.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--preset", metavar="NAME", help="quick, table or growth")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="default: all of the preset")
    size = parser.add_mutually_exclusive_group()
    count = at_least(int, 20)
    size.add_argument("--points", type=count, metavar="N", help="size (default: 100000)")
    size.add_argument("--sizes", type=count, nargs="+", metavar="N", help="several sizes")
    parser.add_argument("--dims", type=_dimension, nargs="+", metavar="D", help="default: 3 8")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="default: all")
    parser.add_argument("--peers", nargs="+", metavar="PEER", help="names, all, or none")
    parser.add_argument(
        "--require", nargs="+", default=[], metavar="PEER", help="missing ones are an error"
    )
    parser.add_argument(
        "--threads",
        type=at_least(int, 1),
        metavar="N",
        help="of everybody (default: 1; a preset may compare several)",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeats", type=at_least(int, 1), metavar="N", help="rounds (default: 7)")
    parser.add_argument(
        "--max-seconds-per-contestant",
        type=at_least(float, 0, open=True),
        metavar="S",
        help="in one case, all runs together (default: 30, or the preset's)",
    )
    parser.add_argument(
        "--max-memory-gb",
        type=at_least(float, 0, open=True),
        metavar="GB",
        help="added by one run of a peer (default: half of what is free, 12 at most)",
    )
    parser.add_argument(
        "--out", type=folder, default="runs/bench", metavar="DIR", help="default: runs/bench"
    )


def run(options: argparse.Namespace) -> int:
    """Times; prints each case and where the report is; 1 where a result differs from ours."""
    from geoinfluencer.bench import limits, peers
    from geoinfluencer.bench.run import run as run_bench

    if options.threads is not None and options.threads > limits.cores():
        raise InputError(
            f"--threads {options.threads}: this process may use {limits.cores()} cores"
        )
    peers.require(options.require)
    setting = _setting(options)
    report = run_bench(setting, lambda line: print(line, flush=True))
    print(f"report: {setting.out}/bench.md")
    wrong = [row for row in report.rows if row["equal"] is False]
    for row in wrong:
        print(
            f"geoinfluencer: {row['case']}: {row['contestant']}: {row['skipped']}", file=sys.stderr
        )
    return 1 if wrong else 0


def _setting(options: argparse.Namespace) -> Setting:
    from dataclasses import replace

    import torch

    from geoinfluencer.bench import peers, plan
    from geoinfluencer.bench.limits import Budget, default_memory_gb
    from geoinfluencer.bench.run import Setting

    own = (options.tasks, options.points, options.sizes, options.dims, options.kinds)
    sizes = [options.points] if options.points is not None else options.sizes
    if options.preset is None and any(value is not None for value in own):
        base = plan.Preset((), tuple(peers.PEERS), 30.0)
        cases = plan.grid(
            options.tasks or ("potential", "knn", "radius"),
            sizes or (100_000,),
            options.dims or (3, 8),
            options.kinds or tuple(plan.KINDS),
        )
    else:
        base = plan.preset("quick" if options.preset is None else options.preset)
        cases = plan.select(base.cases, options.tasks, sizes, options.dims, options.kinds)
    if options.threads is not None:
        cases = tuple(
            dict.fromkeys(replace(c, threads=options.threads, own_threads=()) for c in cases)
        )
    budget = Budget(
        options.max_seconds_per_contestant or base.seconds,
        options.max_memory_gb or default_memory_gb(),
        options.repeats or base.repeats,
    )
    names = base.peers if options.peers is None else peers.chosen_peers(options.peers)
    command = shlex.join(["geoinfluencer", *sys.argv[1:]])
    named = [] if options.peers is None or "all" in options.peers else names
    device, out = torch.device(options.device), Path(options.out)
    return Setting(cases, names, budget, device, out, command, named)


def _dimension(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if not 1 <= value <= 64:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 64")
    return value
