"""What differs between kinds of data: scores, output files, pictures. One file per protocol."""

from geoinfluencer.training.tasks.base import Task
from geoinfluencer.training.tasks.nodes import NodeTask
from geoinfluencer.training.tasks.tracks import TrackTask

# A further protocol is a Task of its own and one more line here.
TASKS: dict[str, type[Task]] = {task.protocol: task for task in (TrackTask, NodeTask)}


def make_task(samples: object) -> Task:
    """The task of a dataset: that of its ``protocol`` attribute, ``nodes`` where it has none.

    Args:
        samples: a dataset, or a ``Subset`` of one; its ``window`` is the tracks' window.
    """
    while not hasattr(samples, "protocol") and hasattr(samples, "dataset"):
        samples = samples.dataset
    return TASKS[getattr(samples, "protocol", "nodes")](samples)


__all__ = ["TASKS", "NodeTask", "Task", "TrackTask", "make_task"]
