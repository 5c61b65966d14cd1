"""What the losses on query logits share: the call, the checks, the options of both."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from geoinfluencer.errors import InputError
from geoinfluencer.losses.query_targets import QueryTargets, query_targets
from geoinfluencer.losses.terms import LossTerms


class MaskLoss(nn.Module, ABC):
    """A loss on (N, M) query logits: subclasses give :meth:`terms`.

    Args:
        weights: factor of each term in the total.
        max_nodes: nodes to draw from a graph that has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        check_finite: look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - **logits**: (N, M), any float type (half is raised to float32)
        - **instance**: (N,) integer, -1 = background; **batch** (N,) ascending or **ptr** (B+1,)
        - **query_ptr** (B+1,), **quality_logits** (Q,), **class_logits** (Q, C), **y** (N,),
          **node_weight**, **instance_weight**, **ignore** (N,) *(optional)*, see
          :func:`~geoinfluencer.losses.query_targets.query_targets`
        - **output**: :class:`LossTerms`

    Raises:
        InputError: shapes or types do not fit, or a tensor is not finite (named).
    """

    def __init__(
        self,
        *,
        weights: dict[str, float],
        max_nodes: int | None = None,
        check_finite: bool = True,
    ) -> None:
        super().__init__()
        check_factors(**{f"{name}_weight": value for name, value in weights.items()})
        if max_nodes is not None and max_nodes < 1:
            raise InputError(f"max_nodes is {max_nodes}; it must be at least 1, or None for all")
        self.weights = weights
        self.max_nodes = max_nodes
        self.check_finite = check_finite

    @abstractmethod
    def terms(self, targets: QueryTargets) -> dict[str, Tensor]:
        """The unweighted terms of checked outputs and instances."""

    def forward(
        self,
        logits: Tensor,
        instance: Tensor,
        batch: Tensor | None = None,
        *,
        ptr: Tensor | None = None,
        query_ptr: Tensor | None = None,
        quality_logits: Tensor | None = None,
        class_logits: Tensor | None = None,
        y: Tensor | None = None,
        node_weight: Tensor | None = None,
        instance_weight: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> LossTerms:
        """The named terms; shapes and meaning as the class says."""
        targets = query_targets(
            logits,
            instance,
            batch,
            ptr=ptr,
            query_ptr=query_ptr,
            quality_logits=quality_logits,
            class_logits=class_logits,
            y=y,
            node_weight=node_weight,
            instance_weight=instance_weight,
            ignore=ignore,
            max_nodes=self.max_nodes,
            check_finite=self.check_finite,
        )
        return LossTerms(self.terms(targets), self.weights)


def check_factors(**factors: float) -> None:
    """Raise InputError for a factor that is negative, NaN or infinite."""
    for name, value in factors.items():
        if not 0 <= value < float("inf"):
            raise InputError(f"{name} is {value}; it must be a number that is not negative")


def check_positive(**values: float) -> None:
    """Raise InputError for a setting that is not positive, NaN or infinite."""
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise InputError(f"{name} is {value}; it must be a positive number")
