"""Free logits: what a loss can do where no network is in its way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from geoinfluencer.errors import InputError

RANK, SPREAD, RATE = 32, 0.1, 0.1  # of F and Q; standard deviation of their entries; Adam's rate
NODES_PER_INSTANCE = 40
STEPS = 400
ENOUGH = 0.99  # share of instances that ``steps_to_99`` waits for


@dataclass(frozen=True)
class Size:
    """M queries for K instances among N = 40 K nodes."""

    queries: int
    instances: int

    @property
    def nodes(self) -> int:
        """N."""
        return NODES_PER_INSTANCE * self.instances

    @property
    def words(self) -> str:
        """For headings."""
        return f"M = {self.queries}, K = {self.instances}"


SIZES = (Size(20, 10), Size(60, 10), Size(100, 40), Size(400, 100))


@dataclass
class Trace:
    """What happened: one entry per number of steps done, 0 included.

    Attributes:
        recovered: share of the instances that are recovered.
        seconds: in the loss so far, forward and backward.
        other_seconds: of everything else: the product, its backward pass, Adam, the scores.
        failure: why it ended early; empty: it did not.
    """

    recovered: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=lambda: [0.0])
    other_seconds: float = 0.0
    failure: str = ""

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.seconds) - 1

    @property
    def steps_to_99(self) -> int | None:
        """Steps until 99 % were recovered for the first time; None: never."""
        reached = (step for step, share in enumerate(self.recovered) if share >= ENOUGH)
        return next(reached, None)


def free_problem(size: Size, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """The labels and the two factors of the logits, the same for every loss.

    Args:
        size: M, K and N.
        seed: of all three.

    Returns:
        instance (N,) int64, uniform over the K instances and background (-1); F (N, 32) and
        Q (M, 32), entries from N(0, 0.1^2).
    """
    generator = torch.Generator().manual_seed(seed)
    instance = torch.randint(0, size.instances + 1, (size.nodes,), generator=generator) - 1
    left = SPREAD * torch.randn(size.nodes, RANK, generator=generator)
    right = SPREAD * torch.randn(size.queries, RANK, generator=generator)
    return instance, left, right


def recovered(logits: Tensor, instance: Tensor) -> float:
    """Share of the instances that some query matches with IoU > 1/2.

    A node belongs to its largest logit if that is above 0, the logit of void, else to none. For
    sigmoid losses that is the most probable of the queries that claim it.

    Shapes:
        logits (N, M), instance (N,) with -1 for background.
    """
    queries = logits.shape[1]
    best, claim = logits.max(dim=1)
    claim = torch.where(best > 0, claim, queries)  # the last column is void
    instances = int(instance.max()) + 1
    real = instance >= 0
    shared = torch.bincount(
        instance[real] * (queries + 1) + claim[real], minlength=instances * (queries + 1)
    ).view(instances, queries + 1)[:, :queries]  # (K, M)
    size = torch.bincount(instance[real], minlength=instances)
    claimed = torch.bincount(claim, minlength=queries + 1)[:queries]
    there = size > 0
    union = size[there, None] + claimed - shared[there]
    return float((2 * shared[there] > union).any(dim=1).double().mean())


def optimise(
    loss: nn.Module, instance: Tensor, left: Tensor, right: Tensor, steps: int = STEPS
) -> Trace:
    """Optimises x = F Q^T under a loss with Adam, looking at the result after every step.

    Args:
        loss: returns :class:`~geoinfluencer.losses.LossTerms`; its terms' total is descended.
        instance, left, right: from :func:`free_problem`; the factors are not changed.
        steps: of Adam.
    """
    left, right = (factor.clone().requires_grad_() for factor in (left, right))
    adam = torch.optim.Adam([left, right], lr=RATE)
    trace, began = Trace(), time.perf_counter()
    for step in range(steps + 1):
        product = left @ right.T
        trace.recovered.append(recovered(product.detach(), instance))
        if step == steps:
            break
        logits = product.detach().requires_grad_()  # so that the loss alone is timed
        start = time.perf_counter()
        try:
            loss(logits, instance).total.backward()
        except InputError as error:
            trace.failure = f"step {step}: {error}"
            break
        trace.seconds.append(trace.seconds[-1] + time.perf_counter() - start)
        adam.zero_grad()
        product.backward(logits.grad)
        adam.step()
    trace.other_seconds = time.perf_counter() - began - trace.seconds[-1]
    return trace
