"""``geoinfluencer train``."""

from __future__ import annotations

import argparse
import json
import sys

from geoinfluencer.cli.arguments import add_dataset, add_set, at_least, folder
from geoinfluencer.errors import InputError

NAME = "train"
HELP = "train a model, score it on held-out samples, write a report"
DESCRIPTION = """\
Trains a model and writes a run folder: config.yaml, metrics.json (best.ckpt on val),
checkpoints/{last,best}.ckpt, logs/, plots/, report.html.

Settings are laid over each other: built-in YAML of the dataset, preset, --config, --set, then the
options below. Without --preset the one fitted to the machine is taken: gpu where CUDA works,
else cpu.

An earlier run in --out is never overwritten: it is moved aside to DIR.1, DIR.2 ... and said so.
With --resume the run goes on in its own folder, exactly as if it had not stopped.

example: geoinfluencer train --dataset toy-tracks --max-minutes 3 --out runs/first
"""

_OF_LINES = (
    "train_json", "train_img_dir", "val_json", "val_img_dir", "line_category_id", "thickness",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    add_dataset(parser)
    parser.add_argument("--config", metavar="FILE", help="YAML laid over the built-in settings")
    parser.add_argument("--preset", metavar="NAME", help="quick, full, cpu or gpu")
    add_set(parser, "one setting, such as train.batch_size=4 or model.hidden_channels=64")
    parser.add_argument("--seed", type=at_least(int, 0), metavar="N", help="weights and order")
    parser.add_argument(
        "--max-steps", type=at_least(int, 1), metavar="N", help="optimisation steps"
    )
    parser.add_argument(
        "--max-minutes",
        type=at_least(float, 0, open=True),
        metavar="M",
        help="minutes of fitting alone; the learning rate follows; without --max-steps only the "
        "time counts",
    )
    parser.add_argument(
        "--out", type=folder, metavar="DIR", help="run folder (default: runs/NAME-DATE-TIME)"
    )
    parser.add_argument(
        "--resume",
        metavar="auto|CKPT",
        help="go on from a checkpoint; auto: last.ckpt in --out, else of the latest run",
    )
    parser.add_argument(
        "--devices", type=at_least(int, 1), metavar="N", help="GPUs, or processes on the CPU"
    )
    lines = parser.add_argument_group("--dataset lines, short for --set data.NAME=VALUE")
    lines.add_argument("--train-json", metavar="FILE", help="lines of the training charts")
    lines.add_argument("--train-img-dir", metavar="DIR", help="their images")
    lines.add_argument("--val-json", metavar="FILE", help="lines of the validation charts")
    lines.add_argument("--val-img-dir", metavar="DIR", help="their images")
    lines.add_argument(
        "--line-category-id", type=int, metavar="N", help="category of lines (default 2)"
    )
    lines.add_argument(
        "--thickness",
        type=at_least(float, 0, open=True),
        metavar="PX",
        help="lines are drawn so thick (default 2)",
    )


def run(options: argparse.Namespace) -> int:
    """Trains; prints the metrics in the foreground and where everything is."""
    from geoinfluencer.cli.output import print_metrics
    from geoinfluencer.training import Interrupted, train

    try:
        result = train(
            options.dataset,
            data_root=options.data_root,
            config=options.config,
            preset=options.preset,
            assignments=[*options.assignments, *_of_lines(options)],
            seed=options.seed,
            max_steps=options.max_steps,
            max_minutes=options.max_minutes,
            out=options.out,
            resume=options.resume,
            devices=options.devices,
            quiet=False,
        )
    except Interrupted as stop:
        print(
            f"geoinfluencer: stopped at step {stop.step}; go on with: geoinfluencer train "
            f"--out {stop.folder.path} --resume auto",
            file=sys.stderr,
        )
        return 128 + stop.number
    if result.metrics:
        print_metrics(result.metrics, "best.ckpt on val")
        print(f"checkpoint: {result.best}")
        print(f"report: {result.report}")
    return 0


def _of_lines(options: argparse.Namespace) -> list[str]:
    """The options for charts as assignments; JSON strings are YAML's too."""
    given = {name: v for name in _OF_LINES if (v := getattr(options, name)) is not None}
    if given and options.dataset not in (None, "lines"):
        flag = next(iter(given)).replace("_", "-")
        raise InputError(f"--{flag}: is for --dataset lines, not {options.dataset}")
    return [f"data.{name}={json.dumps(value)}" for name, value in given.items()]
