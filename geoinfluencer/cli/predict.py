"""``geoinfluencer predict``."""

from __future__ import annotations

import argparse

from geoinfluencer.cli.arguments import add_accelerator, at_least, folder

NAME = "predict"
HELP = "instances for inputs without truth"
DESCRIPTION = """\
Writes the instance and the confidence of every node of the inputs; truth is not looked at.

Tracks: INPUT is a NAME-hits.csv[.gz] file or a folder of them. Written are predictions.csv
(event_id,hit_id,track_id,score; track_id -1 and score 0 = in no track) and a TrackML
submission.csv (event_id,hit_id,track_id). Both are inputs of 'eval --pred'.

Rooms (a checkpoint of synthetic-rooms, s3dis, scannet, stpls3d, points): INPUT is any file of
points (PLY, NPZ, NPY, CSV, TXT, XYZ, PTS; text also as .gz) or a folder of them, in metres, z up,
colour or not. Written are NAME-predicted.ply, with every point in its place and all that the file
holds, and instance (-1 = none), semantic (where the model has classes) and score; and NAME.html, a
page to look at it. A folder given to one of s3dis, scannet or stpls3d is one of that set's layout.

Images: INPUT is an image or a folder of them. Written are predictions.csv of the segments
(event_id,node_id,instance,score,sample), coco_results.json of the masks (COCO results), images.json
(the id that each image has there) and overlays/NAME.png. To score the masks against annotations
name these by --annotations, so that images have the ids that they have there.

example: geoinfluencer predict room.ply --checkpoint runs/rooms --out predicted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "--checkpoint",
        metavar="RUN|CKPT",
        required=True,
        help="a .ckpt file, or a run: its best.ckpt",
    )
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help="files or folders")
    parser.add_argument(
        "--out", type=folder, metavar="DIR", required=True, help="folder for the predictions"
    )
    add_accelerator(parser)
    parser.add_argument(
        "--annotations",
        metavar="FILE",
        help="COCO JSON with the ids of the images, by file_name (default: predict's own, see "
        "images.json)",
    )
    points = parser.add_argument_group("files of points")
    points.add_argument(
        "--columns",
        metavar="ROLE=COLUMN,...",
        help="where x y z and red green blue (r g b) are not found: x=east,y=north,z=up,red=4; "
        "color=none leaves colour out; instance=COLUMN shows that truth in the page; files "
        "without names have columns 1, 2 ...",
    )
    points.add_argument(
        "--unit",
        type=at_least(float, 0, open=True),
        default=1.0,
        metavar="M",
        help="metres per unit of the file, 0.001 for millimetres (default: 1)",
    )
    points.add_argument("--npz", action="store_true", help="NAME-predicted.npz too")
    points.add_argument(
        "--colored", action="store_true", help="NAME-instances.ply in instance colours too"
    )
    points.add_argument("--no-viewer", action="store_true", help="no NAME.html")


def run(options: argparse.Namespace) -> int:
    """Predicts; prints the files written."""
    from geoinfluencer.training import predict

    written = predict(
        options.checkpoint,
        options.inputs,
        options.out,
        columns=options.columns,
        unit=options.unit,
        npz=options.npz,
        colored=options.colored,
        viewer=not options.no_viewer,
        annotations=options.annotations,
        accelerator=options.accelerator,
        quiet=False,
    )
    for path in written:
        print(f"written: {path}")
    return 0
