"""A temperature that falls during training and is kept in checkpoints."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from geoinfluencer.errors import InputError

Drive = Literal["steps", "loss"]
DRIVES: tuple[str, ...] = get_args(Drive)


class TemperatureSchedule(nn.Module):
    r"""Falls from ``start`` to ``end``, by the clock or as the task is learnt.

    "steps" is linear in the calls of :meth:`advance`; "loss" follows a running mean of how far the
    instances still are from one query each, relative to a uniform guess:

    .. math:: T = T_\text{end} + (T_\text{start} - T_\text{end}) \,
        \overline{\min(1, \operatorname{mean}_k \min_m (-\ln g_k[m]) / \ln (M + 1))}

    ``value`` is a buffer: a checkpoint resumes where it was, and reading it waits for no GPU.

    Args:
        start, end (float): first and last temperature.
        steps (int): until ``end`` is reached; for "loss" the length of the running mean.
        drive (str): ``"steps"`` or ``"loss"``.

    Raises:
        InputError: temperatures that are not positive or rise, no steps, an unknown drive.
    """

    value: Tensor
    progress: Tensor

    def __init__(self, start: float, end: float, steps: int, drive: Drive = "steps") -> None:
        super().__init__()
        if not 0 < end <= start:
            raise InputError(
                f"temperatures run from {start} to {end}; both must be positive, and not rise"
            )
        if steps < 1:
            raise InputError(f"temperature_steps is {steps}; it must be at least 1")
        if drive not in DRIVES:
            raise InputError(f"temperature_drive {drive!r} is none of {', '.join(DRIVES)}")
        self.start, self.end, self.steps = start, end, steps
        self.drive: Drive = drive
        self.register_buffer("value", torch.tensor(float(start)))
        # what is left of the way, from 1 to 0
        self.register_buffer("progress", torch.tensor(1.0))

    @torch.no_grad()
    def advance(self, lack: Tensor) -> None:
        """One step on.

        Args:
            lack: what the instances lack of one query each, () and 1 for a uniform guess; read
                by "loss" alone.
        """
        if self.drive == "steps":
            self.progress -= 1.0 / self.steps
        else:
            self.progress += (lack.to(self.progress).clamp(0, 1) - self.progress) / self.steps
        self.progress.clamp_(0, 1)
        self.value.copy_(self.end + (self.start - self.end) * self.progress)

    def extra_repr(self) -> str:
        return f"{self.start} to {self.end} in {self.steps} {self.drive}"
