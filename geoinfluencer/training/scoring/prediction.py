"""Instances for inputs without truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from geoinfluencer.datasets.catalog import resolve_dataset
from geoinfluencer.datasets.point_files import parse_columns
from geoinfluencer.datasets.points import Points
from geoinfluencer.datasets.room_set import RoomSet
from geoinfluencer.datasets.stored_rooms import StoredRooms
from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import load_checkpoint
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.configuration.resolve import check
from geoinfluencer.training.configuration.yaml_layers import Layer
from geoinfluencer.training.fitting.progress import Progress
from geoinfluencer.training.run_folder import RunFolder
from geoinfluencer.training.scoring.evaluation import (
    check_channels,
    check_evaluation_folder,
    evaluation_folder,
)
from geoinfluencer.training.scoring.image_inputs import check_images
from geoinfluencer.training.scoring.inference import (
    autocast_dtype,
    condense_result,
    pick_device,
    run_batches,
)
from geoinfluencer.training.scoring.point_prediction import (
    PointModel,
    PointOptions,
    output_stem,
    point_inputs,
    predict_file,
)
from geoinfluencer.training.tasks import task_class


def predict(
    checkpoint: str | Path,
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    columns: str | None = None,
    unit: float = 1.0,
    npz: bool = False,
    colored: bool = False,
    viewer: bool = True,
    annotations: str | Path | None = None,
    accelerator: str = "auto",
    quiet: bool = True,
) -> list[Path]:
    """Writes the instance and the confidence of every node of some inputs.

    A checkpoint trained on rooms takes any file of points, and a folder of such files unless it
    was trained on a set with a layout of its own; then every point gets its labels.

    Args:
        checkpoint: a ``.ckpt`` file of ``train``, or the folder of its run: then ``best.ckpt``.
        inputs: files or folders of the checkpoint's kind of data; truth is not looked at.
        out: folder for the predictions.
        columns: of files of points, where it cannot be guessed: ``"x=east,y=north,z=up"``; with
            ``instance=COLUMN`` the pages show that truth too.
        unit: of files of points: metres per unit.
        npz: of files of points: NPZ too.
        colored: of files of points: a PLY in the colours of the instances too.
        viewer: of files of points: the interactive page.
        annotations: of images: a COCO JSON file, which has the ids of the images by ``file_name``;
            truth is not looked at.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        quiet: no progress.

    Returns:
        The files written.

    Raises:
        InputError: an input is missing or unreadable, or does not fit the checkpoint.
    """
    if not inputs:
        raise InputError("predict: name at least one INPUT, a file or a folder")
    run = RunFolder(checkpoint)
    loaded = load_checkpoint(run.best if run.best.is_file() else checkpoint).of_graphs()
    config: RunConfig = check(Layer(dict(loaded.state.config)))
    cls = resolve_dataset(config.dataset)
    known = loaded.state.data
    make_task = task_class(known["protocol"], str(loaded.path))
    if annotations is not None and known["protocol"] not in ("images", "lines"):
        raise InputError(
            f"--annotations {annotations}: has the ids of images that masks are predicted for; "
            f"this checkpoint was trained on {config.dataset}"
        )
    condensation = loaded.condensation(config.condensation)
    paths = list(dict.fromkeys(Path(item) for item in inputs))
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    clouds = [each for path in paths if _takes_points(path, cls) for each in point_inputs(path)]
    options = PointOptions(parse_columns(columns), unit, npz, colored, viewer)
    _check_point_options(options, clouds, config.dataset)
    device = pick_device(accelerator)
    check_evaluation_folder(out)  # before hours of reading
    listed = None if annotations is None else Path(annotations)
    ids = check_images(paths, cls, listed, quiet=quiet)
    task = make_task(SimpleNamespace(category_ids=known.get("category_ids", ()), image_ids=ids))
    model = loaded.build_model().to(device)
    dtype = autocast_dtype(config.train.precision, device)
    written: list[Path] = []
    with _no_empty_folder(Path(out)):
        folder = evaluation_folder(out)
        if clouds:
            names = [name for _, name in sorted(loaded.state.class_map.items())]
            points = PointModel(
                model, condensation, config.data.get("graph") or {}, names, device, dtype,
                lambda samples, source: check_channels(samples, loaded, source, truth=False),
            )  # fmt: skip
            say = (lambda text: None) if quiet else print
            for path in clouds:
                written += predict_file(path, points, folder.path, options, say)
        records: list[Any] = []
        for path in paths:
            if _takes_points(path, cls):
                continue
            samples = task.open_input(path, cls, config.data)
            total = len(samples)  # type: ignore[arg-type]
            if total == 0:
                raise InputError(f"{path}: no samples in it")
            check_channels(samples, loaded, f"{path}, first sample", truth=False)
            progress = Progress(f"predicting {path.name}", total, unit="samples", enabled=not quiet)
            for result in run_batches(
                model, samples, device, dtype, max_nodes=1, on_sample=progress.update
            ):
                records.append(task.record(condense_result(result, condensation)))
            progress.clear()
        if records:
            written += task.write_predictions(records, folder.path)
            written += task.write_pictures(records, folder.path)
    return written


@contextmanager
def _no_empty_folder(path: Path) -> Iterator[None]:
    """Takes away the empty folders that were made for ``path`` when something fails."""
    made = [each for each in (path, *path.parents) if not each.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):  # the first that holds something, or was not made, ends it
            for each in made:
                each.rmdir()
        raise


def _takes_points(path: Path, cls: type) -> bool:
    """Whether an input is one of points, rather than of the layout of the checkpoint's dataset."""
    if not issubclass(cls, RoomSet):
        return False
    return path.is_file() or issubclass(cls, Points) or not issubclass(cls, StoredRooms)


def _check_point_options(options: PointOptions, clouds: Sequence[Path], dataset: str) -> None:
    """Raises InputError for options of point files without any, and for outputs of one name."""
    if not clouds and options != PointOptions({}):
        raise InputError(
            "--columns, --unit, --npz, --colored and --no-viewer are for files of points, given to "
            f"a checkpoint trained on rooms; this one was trained on {dataset}"
        )
    stems: dict[str, Path] = {}
    for path in clouds:
        other = stems.setdefault(output_stem(path), path)
        if other != path:
            raise InputError(
                f"{path}: its predictions would have the name of those of {other}; predict them "
                "into different folders"
            )
