"""``geoinfluencer baseline``: what the graph models have to beat on images."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from typing import Any

from geoinfluencer.cli.arguments import add_accelerator, add_dataset, add_set, at_least, folder
from geoinfluencer.errors import InputError

NAME = "baseline"
HELP = "train a pixel-embedding U-Net on a set of images, or score a watershed"
DESCRIPTION = """\
The rivals of the graph models on images, on the same images and scored by the same metrics:

  baseline --dataset NAME [--data-root DIR] [--max-minutes M] [--out DIR]
      a small U-Net embeds every pixel (discriminative loss) and says which belong to objects;
      DBSCAN, its settings chosen on calib, groups those of val (--split). Writes ckpt_last.pt,
      ckpt_best.pt (least loss on val), ckpt_final.pt, metrics.json, and coco_results.json or the
      files of lines.

  baseline --train-json FILE --train-img-dir DIR --val-json FILE --val-img-dir DIR
      the same on lines of charts (dataset lines); defaults: --save-dir ./checkpoints,
      --num-workers 2. Long options may be written with underscores: --train_json.

  baseline --method watershed --dataset NAME [--data-root DIR] [--out DIR]
      Otsu's threshold and a watershed of the distance to the background; no training.

example: geoinfluencer baseline --dataset nuclei --data-root DIR --max-minutes 10 --out runs/unet
"""

_OF_FILES = ("train_json", "train_img_dir", "val_json", "val_img_dir")
_OF_LINES = (*_OF_FILES, "thickness", "line_category_id")
_OF_TRAINING = (
    "epochs", "max_steps", "max_minutes", "batch_size", "lr", "save_every", "eval_every",
    "num_workers", "seed", "crop", "embedding_dim", "resume",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""

    def add(name: str, **options: Any) -> None:
        both = dict.fromkeys((f"--{name}", f"--{name.replace('-', '_')}"))
        parser.add_argument(*both, **options)

    add_dataset(parser)
    parser.add_argument(
        "--method", choices=("unet", "watershed"), default="unet", help="default: unet"
    )
    parser.add_argument(
        "--split", choices=("val", "test"), default="val",
        help="what is scored (default: val, which also chooses ckpt_best.pt)",
    )  # fmt: skip
    parser.add_argument("--preset", metavar="NAME", help="of the dataset; its data alone is read")
    add_set(parser, "one setting of the data, such as data.max_images=100")
    add("train-json", metavar="FILE", help="annotations of the training charts")
    add("train-img-dir", metavar="DIR", help="their images")
    add("val-json", metavar="FILE", help="annotations of the validation charts")
    add("val-img-dir", metavar="DIR", help="their images")
    add("thickness", type=at_least(float, 0, open=True), metavar="PX",
        help="of the drawn lines (default: 2)")  # fmt: skip
    add("line-category-id", type=int, metavar="ID", help="category of the lines (default: 2)")
    add("epochs", type=at_least(int, 1), metavar="N",
        help="default: 10; with --max-minutes alone as many as it takes")  # fmt: skip
    add("max-steps", type=at_least(int, 0), metavar="N",
        help="steps of an epoch at most; 0: all of it (default: 0)")  # fmt: skip
    add("max-minutes", type=at_least(float, 0, open=True), metavar="M", help="of fitting")
    add("batch-size", type=at_least(int, 1), metavar="N", help="images of a step (default: 2)")
    add("lr", type=at_least(float, 0, open=True), metavar="RATE", help="default: 1e-3")
    add("save-every", type=at_least(int, 1), metavar="N", help="epochs (default: 1)")
    add("eval-every", type=at_least(int, 1), metavar="N", help="epochs (default: 1)")
    add("num-workers", type=at_least(int, 0), metavar="N", help="loader processes")
    add("seed", type=at_least(int, 0), metavar="N", help="weights, order and crops (default: 0)")
    add("crop", type=at_least(int, 1), metavar="PX", help="side of training crops (default: 256)")
    add("embedding-dim", type=at_least(int, 1), metavar="D", help="default: 8")
    parser.add_argument(
        "--normalise", action="store_true",
        help="embeddings of length 1, in training and in scoring",
    )  # fmt: skip
    parser.add_argument(
        "--out", "--save-dir", "--save_dir", type=folder, metavar="DIR",
        help="folder of the run (default: runs/NAME-baseline-DATE-TIME)",
    )  # fmt: skip
    parser.add_argument(
        "--resume", metavar="auto|CKPT", help="go on from a checkpoint; auto: ckpt_last.pt in --out"
    )
    add_accelerator(parser)


def run(options: argparse.Namespace) -> int:
    """Trains or scores; prints one line with the scores and where everything is."""
    given = {key: value for key, value in vars(options).items() if value is not None}
    lines = {key: given[key] for key in _OF_LINES if key in given}
    if options.method == "watershed":
        return _watershed(options, given, lines)
    from geoinfluencer.training import Interrupted
    from geoinfluencer.training.configuration.yaml_layers import Layer
    from geoinfluencer.training.pixel_baseline.run import pixel_baseline
    from geoinfluencer.training.pixel_baseline.settings import settings_of

    dataset, defaults = _dataset(options, lines)
    try:
        result = pixel_baseline(
            dataset,
            data_root=options.data_root,
            settings=settings_of({**defaults, **given}),
            preset=options.preset,
            assignments=options.assignments,
            split=options.split,
            overrides=Layer({"data": lines}) if lines else None,
            out=options.out or defaults.get("out"),
            resume=options.resume or None,  # an empty string means no resumption
            quiet=False,
        )
    except Interrupted as stop:
        print(
            f"geoinfluencer: stopped at step {stop.step}; go on with the same command and "
            f"--resume {stop.folder.last}",
            file=sys.stderr,
        )
        return 128 + stop.number
    print(_line(result.metrics, str(result.path)))
    return 0


def _dataset(options: argparse.Namespace, lines: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The dataset's name and the defaults of its form."""
    missing = [name for name in _OF_FILES if name not in lines]
    if len(missing) == len(_OF_FILES):
        if options.dataset is None:
            raise InputError(
                "baseline: give --dataset NAME, or --train-json, --train-img-dir, --val-json and "
                "--val-img-dir of charts"
            )
        return options.dataset, {}
    if missing:
        raise InputError(f"{_flag(missing[0])}: is missing; charts are given by all four of "
                         f"{', '.join(map(_flag, _OF_FILES))}")  # fmt: skip
    if options.dataset not in (None, "lines"):
        raise InputError(f"--train-json: is for --dataset lines, not {options.dataset}")
    return "lines", {"num_workers": 2, "out": "checkpoints"}


def _watershed(
    options: argparse.Namespace, given: Mapping[str, Any], lines: Mapping[str, Any]
) -> int:
    from geoinfluencer.training.pixel_baseline.unlearned import watershed_baseline

    unread = [*lines, *(name for name in _OF_TRAINING if name in given)]
    unread += ["normalise"] if options.normalise else []
    if unread:
        raise InputError(f"{_flag(unread[0])}: is for --method unet; a watershed is not trained")
    if options.dataset is None:
        raise InputError("baseline: give --dataset NAME, such as --dataset nuclei")
    result = watershed_baseline(
        options.dataset,
        data_root=options.data_root,
        preset=options.preset,
        assignments=options.assignments,
        split=options.split,
        out=options.out,
        quiet=False,
    )
    print(_line(result.metrics, str(result.path)))
    return 0


def _line(metrics: Mapping[str, Any], path: str) -> str:
    """The scores that there are of these, on one line."""
    names = (
        "ap", "ap50", "ceiling_ap", "line_6a", "line_6b", "line_6a_placed", "line_6b_placed",
        "ceiling_6a", "ceiling_6b", "ari", "count_error", "pq",
    )  # fmt: skip
    scores = [
        f"{name} {value:.4f}"
        for name in names
        if isinstance(value := metrics.get(name), float) and math.isfinite(value)
    ]
    said = ", ".join(scores) or "no scores, as there are no true objects"
    what = f"{metrics['dataset']} {metrics['split']}, {metrics['method']}"
    return f"{what}: {said}; {path}/metrics.json"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
