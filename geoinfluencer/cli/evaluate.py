"""``geoinfluencer eval``: a checkpoint on samples, or any tool's output from files."""

from __future__ import annotations

import argparse

from geoinfluencer.cli.arguments import add_accelerator, add_dataset, add_set, at_least, folder
from geoinfluencer.errors import InputError

NAME = "eval"
HELP = "score a checkpoint, or the output of any tool"
DESCRIPTION = """\
Three forms:

  eval --checkpoint CKPT --dataset NAME [--data-root DIR] [--split S] [--out DIR]
      runs a model; writes metrics.json, what was predicted beside it, plots and report.html.
      Default split: val, or all when none of the events was seen in training.

  eval --pred FILE --truth FILE --protocol trackml|nodes [--out DIR]
      scores files with one row per node (CSV, CSV.GZ, NPZ, PLY) with columns instance (or TrackML's
      track_id and particle_id), optional node_id, semantic, score, weight. No model involved.

  eval --pred RESULTS.json --truth INSTANCES.json --protocol coco [--max-dets N]
       [--boundary] [--out DIR]
      scores masks in images (COCO results) against COCO annotations.
"""

_OF_TRACKS = ("particles", "pt_min", "eta_max", "min_hits")
_OF_MASKS = ("max_dets", "boundary")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    model = parser.add_argument_group("a checkpoint")
    model.add_argument("--checkpoint", metavar="CKPT", help="checkpoints/best.ckpt of a run")
    add_dataset(parser)
    parser.add_argument("--split", choices=("train", "calib", "val", "test", "all"))
    add_set(parser, "a setting of the data or condensation section, such as data.pt_min=0.5")
    add_accelerator(parser)
    files = parser.add_argument_group("files")
    files.add_argument("--pred", metavar="FILE", help="predicted instances")
    files.add_argument("--truth", metavar="FILE", help="true instances")
    files.add_argument("--protocol", metavar="P", help="trackml, nodes or coco")
    files.add_argument("--particles", metavar="FILE", help="momenta, where the truth has none")
    files.add_argument("--pt-min", type=float, metavar="GEV", help="window (default 0.9)")
    files.add_argument("--eta-max", type=float, metavar="ETA", help="window (default 4)")
    files.add_argument("--min-hits", type=at_least(int, 1), metavar="N", help="window (default 3)")
    files.add_argument(
        "--max-dets",
        type=at_least(int, 1),
        metavar="N",
        help="coco: predictions of an image and category that count (default 100)",
    )
    files.add_argument("--boundary", action="store_true", default=None, help="coco: boundary AP")
    parser.add_argument("--out", type=folder, metavar="DIR", help="folder for the results")


def run(options: argparse.Namespace) -> int:
    """Scores; prints the metrics and where everything is."""
    file_form = {"--pred": options.pred, "--truth": options.truth, "--protocol": options.protocol}
    given = [name for name, value in file_form.items() if value is not None]
    if options.checkpoint is not None and given:
        raise InputError(f"--checkpoint and {given[0]}: score a checkpoint or files, not both")
    if options.checkpoint is None and not given:
        raise InputError("eval: give --checkpoint CKPT, or --pred FILE --truth FILE --protocol P")
    return _files(options, file_form) if given else _checkpoint(options)


def _checkpoint(options: argparse.Namespace) -> int:
    for name in _OF_TRACKS:
        if getattr(options, name) is not None:
            raise InputError(
                f"{_flag(name)}: is for files; with a checkpoint use --set data.{name}=VALUE"
            )
    for name in _OF_MASKS:
        if getattr(options, name) is not None:
            raise InputError(
                f"{_flag(name)}: is for files; score the checkpoint's coco_results.json with --pred"
            )
    from geoinfluencer.cli.output import print_metrics
    from geoinfluencer.training import evaluate

    metrics = evaluate(
        options.checkpoint,
        options.dataset,
        data_root=options.data_root,
        split=options.split,
        out=options.out,
        assignments=options.assignments,
        accelerator=options.accelerator,
        quiet=False,
    )
    print_metrics(metrics, f"{options.checkpoint} on {metrics['split']}")
    _say_where(options.out)
    return 0


def _files(options: argparse.Namespace, form: dict[str, str | None]) -> int:
    missing = [name for name, value in form.items() if value is None]
    if missing:
        raise InputError(f"eval: {missing[0]} is missing; give --pred, --truth and --protocol")
    unread = {"--dataset": options.dataset, "--data-root": options.data_root}
    unread |= {"--split": options.split, "--set": options.assignments or None}
    if options.accelerator != "auto":
        unread["--accelerator"] = options.accelerator
    for flag, value in unread.items():
        if value is not None:
            raise InputError(f"{flag}: is for checkpoints; files are scored as they are")
    from geoinfluencer.cli.output import print_metrics
    from geoinfluencer.training.scoring.file_scores import evaluate_prediction_file

    names = (*_OF_TRACKS, *_OF_MASKS)
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    for name in given:
        if (name in _OF_MASKS) != (options.protocol == "coco"):
            raise InputError(
                f"{_flag(name)}: is not for --protocol {options.protocol}; leave it out"
            )
    metrics = evaluate_prediction_file(
        options.pred, options.truth, options.protocol, options.out, **given
    )
    print_metrics(metrics, options.pred)
    _say_where(options.out)
    return 0


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _say_where(out: str | None) -> None:
    if out is not None:
        print(f"metrics: {out}/metrics.json")
        print(f"report: {out}/report.html")
