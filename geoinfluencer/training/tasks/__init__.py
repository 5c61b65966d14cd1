"""What differs between kinds of data: scores, output files, pictures. One file per protocol."""

from collections.abc import Mapping

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.training.data import attribute
from geoinfluencer.training.tasks.base import Task
from geoinfluencer.training.tasks.images import ImageTask
from geoinfluencer.training.tasks.lines import LineTask
from geoinfluencer.training.tasks.nodes import NodeTask
from geoinfluencer.training.tasks.rooms import RoomTask
from geoinfluencer.training.tasks.scenes import (
    LiteralSceneFilesTask,
    PanopticFilesTask,
    RoomFilesTask,
    SceneFilesTask,
)
from geoinfluencer.training.tasks.street_scenes import CityscapesFilesTask
from geoinfluencer.training.tasks.tracks import TrackTask

# A further protocol is a Task of its own and one more line here.
TASKS: dict[str, type[Task]] = {
    task.protocol: task for task in (TrackTask, NodeTask, ImageTask, LineTask, RoomTask)
}
_OF_SCENES = (SceneFilesTask, LiteralSceneFilesTask, RoomFilesTask, PanopticFilesTask)
FILE_TASKS: dict[str, type[Task]] = {
    **TASKS,
    "coco": ImageTask,
    "cityscapes": CityscapesFilesTask,
    **{task.protocol: task for task in _OF_SCENES},
}  # protocols that files may be scored by


def make_task(samples: object) -> Task:
    """The task of a dataset: that of its ``protocol`` attribute, ``nodes`` where it has none.

    Args:
        samples: a dataset, or a ``Subset`` of one; its ``window`` is the tracks' window.

    Raises:
        InputError: an unknown protocol.
    """
    return task_class(attribute(samples, "protocol", "nodes"), "the dataset's protocol")(samples)


def task_class(
    protocol: object, source: str, known: Mapping[str, type[Task]] = TASKS
) -> type[Task]:
    """The task of a protocol's name.

    Args:
        protocol: the name.
        source: where it was read, for the message.
        known: those that may be; a dataset's by default.

    Raises:
        InputError: it is unknown; says which are known.
    """
    name = str(protocol)
    if name not in known:
        raise InputError(f"{source}: unknown protocol '{name}'; {suggest(name, known)}")
    return known[name]


__all__ = [
    "FILE_TASKS",
    "TASKS",
    "ImageTask",
    "LineTask",
    "NodeTask",
    "RoomTask",
    "Task",
    "TrackTask",
    "make_task",
    "task_class",
]
