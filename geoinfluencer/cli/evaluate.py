"""``geoinfluencer eval``: a checkpoint on samples, or any tool's output from files."""

from __future__ import annotations

import argparse
from typing import Any

from geoinfluencer.cli.arguments import add_accelerator, add_dataset, add_set, at_least, folder
from geoinfluencer.errors import InputError

NAME = "eval"
HELP = "score a checkpoint, or the output of any tool"
DESCRIPTION = """\
Six forms:

  eval --checkpoint CKPT --dataset NAME [--data-root DIR] [--split S] [--out DIR]
      runs a model; writes metrics.json, what was predicted beside it, plots and report.html.
      Default split: val, or all when none of the events was seen in training.

  eval --pred FILE --truth FILE --protocol trackml|nodes [--out DIR]
      scores files with one row per node (CSV, CSV.GZ, NPZ, PLY) with columns instance (or TrackML's
      track_id and particle_id), optional node_id, semantic, score, weight. No model involved.

  eval --pred RESULTS.json --truth INSTANCES.json --protocol coco [--max-dets N]
       [--boundary] [--backend B] [--out DIR]
      scores masks in images (COCO results) against COCO annotations.

  eval --pred RESULTS.json|DIR --truth gtFine/val --protocol cityscapes [--out DIR]
      scores masks against *_gtFine_instanceIds.png. Predictions are COCO results whose image_id
      counts those files from 0, or lists NAME*.txt with lines MASK.png CLASS CONFIDENCE.

  eval --pred lines.json --truth FILE|DIR --protocol lines [--line-category-id N] [--out DIR]
      scores the lines of charts against lines.json, COCO-like annotations with polylines, or JSON
      of UB-PMC (a file, or a folder of them).

  eval --pred PATH --truth PATH --protocol scannet|scannet-literal|s3dis|panoptic [--out DIR]
      scores point clouds: a file each, or folders of scenes of the same names. Predictions are
      ScanNet submissions (SCENE.txt with lines MASK CLASS CONFIDENCE), PLY or NPZ with instance,
      semantic and score of every point; truth is .txt (class * 1000 + instance), PLY or NPZ.
"""

_OF_TRACKS = ("particles", "pt_min", "eta_max", "min_hits")
_OF_MASKS = ("max_dets", "boundary", "backend")
_OF_LINES = ("line_category_id",)
_OF_SCENES = ("classes", "stuff", "min_points", "partial", "pred_names", "truth_names")
_OF_BOTH = ("partial",)
_SCENES = ("scannet", "scannet-literal", "s3dis", "panoptic")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    model = parser.add_argument_group("a checkpoint")
    model.add_argument("--checkpoint", metavar="CKPT", help="checkpoints/best.ckpt of a run")
    add_dataset(parser)
    parser.add_argument("--split", choices=("train", "calib", "val", "test", "all"))
    add_set(parser, "a setting of the data or condensation section, such as data.pt_min=0.5")
    add_accelerator(parser)
    parser.add_argument(
        "--baselines",
        nargs="+",
        metavar="METHOD",
        help="rooms: score clusterings without a model too: components, dbscan, hdbscan",
    )
    files = parser.add_argument_group("files")
    files.add_argument("--pred", metavar="PATH", help="predicted instances")
    files.add_argument("--truth", metavar="PATH", help="true instances")
    files.add_argument(
        "--protocol",
        metavar="P",
        help=f"trackml, nodes, coco, cityscapes, lines, {', '.join(_SCENES)}",
    )
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
    files.add_argument(
        "--backend",
        choices=("pycocotools", "faster-coco-eval"),
        help="coco: what computes the scores (default pycocotools); equal numbers",
    )
    files.add_argument(
        "--line-category-id",
        type=int,
        metavar="N",
        help="lines: category of the lines in COCO-like annotations that have others too",
    )
    scenes = parser.add_argument_group("files of scenes")
    scenes.add_argument(
        "--classes",
        metavar="SET",
        help="scannet, scannet20, s3dis, stpls3d, or ID=NAME,ID=NAME (default: the protocol's)",
    )
    scenes.add_argument(
        "--stuff", metavar="NAME,NAME", help="classes without instances (default: none, or SET's)"
    )
    scenes.add_argument(
        "--min-points",
        type=at_least(int, 1),
        metavar="N",
        help="scannet: smallest instance that counts (default 100; STPLS3D: 10)",
    )
    for side in ("pred", "truth"):
        scenes.add_argument(
            f"--{side}-names",
            nargs="+",
            metavar="KEY=NAME",
            help=f"properties of --{side} that are not called instance, semantic, score",
        )
    parser.add_argument(
        "--partial",
        action="store_true",
        default=None,
        help="score although rooms or scenes are missing; every output says so",
    )
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
    for name in _OF_LINES:
        if getattr(options, name) is not None:
            raise InputError(
                f"{_flag(name)}: is for files (--pred); the dataset has data.{name}, if any"
            )
    for name in _OF_SCENES:
        if getattr(options, name) is not None and name not in _OF_BOTH:
            raise InputError(f"{_flag(name)}: is for files of scenes (--pred); leave it out")
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
        partial=bool(options.partial),
        baselines=options.baselines or (),
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
    unread["--baselines"] = options.baselines
    if options.accelerator != "auto":
        unread["--accelerator"] = options.accelerator
    for flag, value in unread.items():
        if value is not None:
            raise InputError(f"{flag}: is for checkpoints; files are scored as they are")
    from geoinfluencer.cli.output import print_metrics
    from geoinfluencer.training.scoring.file_scores import evaluate_prediction_file

    names = (*_OF_TRACKS, *_OF_MASKS, *_OF_LINES, *_OF_SCENES)
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    for name in given:
        mine: dict[str, tuple[str, ...]] = {"coco": _OF_MASKS, "cityscapes": (), "lines": _OF_LINES}
        mine |= dict.fromkeys(_SCENES, _OF_SCENES)
        if name not in mine.get(options.protocol, _OF_TRACKS):
            raise InputError(
                f"{_flag(name)}: is not for --protocol {options.protocol}; leave it out"
            )
    metrics = evaluate_prediction_file(
        options.pred, options.truth, options.protocol, options.out, **_of_scenes(options, given)
    )
    print_metrics(metrics, options.pred)
    _say_where(options.out)
    return 0


def _of_scenes(options: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    """The options with classes and names read."""
    if options.protocol not in _SCENES:
        return given
    from geoinfluencer.metrics import CLASS_SETS, parse_classes
    from geoinfluencer.metrics.scene_scores import SCENE_PROTOCOLS

    if options.min_points is not None and options.protocol in ("s3dis", "panoptic"):
        raise InputError(f"--min-points: is not for --protocol {options.protocol}; leave it out")
    classes, stuff = given.pop("classes", None), given.pop("stuff", None)
    chosen = CLASS_SETS[SCENE_PROTOCOLS[options.protocol]]
    chosen = chosen if classes is None else parse_classes(classes)
    if stuff is not None:
        chosen = chosen.with_stuff([name.strip() for name in stuff.split(",") if name.strip()])
    for side in ("pred_names", "truth_names"):
        if side in given:
            given[side] = _names(_flag(side), given[side])
    return {**given, "classes": chosen}


def _names(flag: str, pairs: list[str]) -> dict[str, str]:
    known = ("instance", "semantic", "score")
    names = dict(pair.partition("=")[::2] for pair in pairs)
    for key, name in names.items():
        if key not in known or not name:
            raise InputError(
                f"{flag} {key}={name}: expected KEY=NAME, KEY one of {', '.join(known)}"
            )
    return names


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _say_where(out: str | None) -> None:
    if out is not None:
        print(f"metrics: {out}/metrics.json")
        print(f"report: {out}/report.html")
