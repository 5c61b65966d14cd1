"""The tasks, one file each."""

from geoinfluencer.bench.contest import Task
from geoinfluencer.bench.tasks import (
    attraction,
    condensation,
    fps,
    grid,
    knn,
    potential,
    radius,
    segment,
    symmetric,
)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        potential.TASK,
        symmetric.TASK,
        condensation.TASK,
        attraction.TASK,
        knn.TASK,
        radius.TASK,
        *segment.TASKS,
        fps.TASK,
        grid.TASK,
    )
}
