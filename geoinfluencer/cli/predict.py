"""``geoinfluencer predict``."""

from __future__ import annotations

import argparse

from geoinfluencer.cli.arguments import add_accelerator, folder

NAME = "predict"
HELP = "instances for inputs without truth"
DESCRIPTION = """\
Writes the instance and the confidence of every node of the inputs; truth is not looked at.

Tracks: INPUT is a NAME-hits.csv[.gz] file or a folder of them. Written are predictions.csv
(event_id,hit_id,track_id,score; track_id -1 and score 0 = in no track) and a TrackML
submission.csv (event_id,hit_id,track_id). Both are inputs of 'eval --pred'.

Images: INPUT is an image or a folder of them. Written are predictions.csv of the segments
(event_id,node_id,instance,score,sample) and coco_results.json of the masks (COCO results).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument("--checkpoint", metavar="CKPT", required=True)
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="files or folders")
    parser.add_argument(
        "--out", type=folder, metavar="DIR", required=True, help="folder for the predictions"
    )
    add_accelerator(parser)


def run(options: argparse.Namespace) -> int:
    """Predicts; prints the files written."""
    from geoinfluencer.training import predict

    written = predict(
        options.checkpoint,
        options.inputs,
        options.out,
        accelerator=options.accelerator,
        quiet=False,
    )
    for path in written:
        print(f"written: {path}")
    return 0
