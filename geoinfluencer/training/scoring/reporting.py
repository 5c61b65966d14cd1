"""Results of a run on disk, and the pictures and report that are drawn from them."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoinfluencer.errors import InputError
from geoinfluencer.files.atomic import atomic_path
from geoinfluencer.plots.curves import calibration_figure, loss_figure, validation_figure
from geoinfluencer.plots.embedding import embedding_figure
from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.report import Report, write_report
from geoinfluencer.plots.viewer_pages import is_cloud, write_sample_page
from geoinfluencer.training.checkpoint import RunState, versions
from geoinfluencer.training.configuration.config import RunConfig
from geoinfluencer.training.fitting.log import read_rows
from geoinfluencer.training.run_folder import RunFolder, read_json, write_json
from geoinfluencer.training.scoring.scores import Scores
from geoinfluencer.training.tasks import FILE_TASKS, Task, task_class


def write_results(
    folder: RunFolder, task: Task, scores: Scores, config: RunConfig, state: RunState
) -> None:
    """Writes ``metrics.json``, what the pictures are drawn from, the pictures and the report."""
    _write_rows(folder.curves, scores.curves)
    _write_rows(folder.calibration, state.calibration)
    arrays = {
        f"{index}/{key}": value
        for index, (_, display) in enumerate(scores.displays)
        for key, value in display.items()
    }
    names = np.array([name for name, _ in scores.displays], dtype=str)
    arrays["class_names"] = np.array([c for _, c in sorted(state.class_map.items())], dtype=str)
    with atomic_path(folder.display) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, names=names, **arrays)  # type: ignore[arg-type]
    write_json(folder.metrics, scores.metrics)
    draw(folder, config=config)


def write_file_results(
    folder: RunFolder, task: Task, metric: Any, metrics: Mapping[str, Any]
) -> None:
    """The same for scores of prediction files: no samples to show, no configuration."""
    _write_rows(folder.curves, task.curve_rows(metric))
    write_json(folder.metrics, metrics)
    draw(folder)


def draw(folder: RunFolder, config: RunConfig | None = None) -> Path:
    """Draws all pictures of a run folder and its report, from files in that folder alone.

    Args:
        folder: of a training run (finished or not) or of an evaluation.
        config: shown in the report; None: ``config.yaml`` of the folder, if it is there.

    Returns:
        The report.

    Raises:
        InputError: nothing there to draw.
    """
    if not folder.path.is_dir():
        raise InputError(f"{folder.path}: no such run folder")
    train_rows, val_rows = read_rows(folder.train_log), read_rows(folder.val_log)
    if not folder.metrics.is_file() and not train_rows:
        raise InputError(
            f"{folder.path}: neither metrics.json nor logs/train.csv; name the folder of a run"
        )
    metrics = read_json(folder.metrics) if folder.metrics.is_file() else {}
    task = task_class(metrics.get("protocol") or "nodes", str(folder.metrics), FILE_TASKS)(None)
    figures, pages = _sample_figures(folder, task, metrics)
    figures += task.curve_figures(_read_rows(folder.curves), _window_note(task, metrics))
    shown = [name for name in task.definitions() if _is_share(name)]
    best = metrics.get("checkpoint_step") if val_rows else None
    optional = (
        loss_figure(train_rows),
        validation_figure(val_rows, shown, best),
        calibration_figure(_numbers(_read_rows(folder.calibration)), metrics),
    )
    figures += [figure for figure in optional if figure is not None]
    folder.plots.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        figure.save(folder.plots)
    report = Report(
        title=f"{metrics.get('dataset') or folder.path.name}: {_kind(folder)}",
        subtitle=_subtitle(folder, task, metrics, len(train_rows)),
        metrics=metrics,
        definitions=task.definitions(),
        figures=figures,
        config=_config_text(folder, config),
        versions=versions(),
        pages=pages,
    )
    write_report(folder.report, report)
    return folder.report


def _sample_figures(
    folder: RunFolder, task: Task, metrics: Mapping[str, Any]
) -> tuple[list[Figure], list[tuple[str, str]]]:
    """Pictures of the displayed samples; of point clouds interactive pages too, which are written
    beside the report: their titles and files."""
    if not folder.display.is_file():
        return [], []
    figures: list[Figure] = []
    pages: list[tuple[str, str]] = []
    try:
        stored = np.load(folder.display, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{folder.display}: damaged ({error}); delete it, or run eval again"
        ) from error
    with stored:
        classes = stored["class_names"].tolist() if "class_names" in stored.files else []
        for index, name in enumerate(stored["names"].tolist()):
            prefix = f"{index}/"
            arrays = {
                key.removeprefix(prefix): stored[key]
                for key in stored.files
                if key.startswith(prefix)
            }
            figures += task.sample_figures(arrays, name)
            if index == 0 and len(arrays["follower"]):
                figures.append(embedding_figure(arrays, name, metrics.get("radius") or 0.0))
            if is_cloud(arrays):
                page = f"view-{name.replace('/', '-') or index}.html"
                write_sample_page(folder.path / page, arrays, name, classes)
                pages.append((f"{name or 'sample'} in 3-D", page))
    return figures, pages


def _kind(folder: RunFolder) -> str:
    return "training run" if folder.config.exists() else "evaluation"


def _subtitle(folder: RunFolder, task: Task, metrics: Mapping[str, Any], logged: int) -> str:
    if not metrics:
        return f"{folder.path}: unfinished, {logged} logged steps; no scores yet"
    split = metrics.get("split")
    words = [f"protocol {metrics.get('protocol')}"]
    words += [f"split {split}, {metrics.get('num_samples')} samples"] if split else []
    words += [f"{metrics['pred']} against {metrics['truth']}"] if "pred" in metrics else []
    words += [note] if (note := _window_note(task, metrics)) else []
    return "; ".join(words)


def _window_note(task: Task, metrics: Mapping[str, Any]) -> str:
    words = task.window_words(metrics)
    return f"Window W: {words}." if words else ""


def _is_share(name: str) -> bool:
    return (
        not name.startswith("num_") and not name.endswith("_all") and name != "unassigned_fraction"
    )


def _config_text(folder: RunFolder, config: RunConfig | None) -> str:
    if folder.config.is_file():
        return folder.config.read_text(encoding="utf-8")
    return config.to_yaml() if config is not None else ""


def _write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _read_rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _numbers(rows: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
    try:
        return [{key: float(value) for key, value in row.items()} for row in rows]
    except (TypeError, ValueError) as error:
        raise InputError(f"calibration.csv: damaged ({error}); delete it, or run again") from error
