"""The loss of denoising queries: whom each stands for is known, so nothing is matched."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.graph_means import mean_of_graphs
from geoinfluencer.losses.query_targets import majority_class
from geoinfluencer.losses.terms import LossTerms

ACTIVATIONS = ("softmax", "sigmoid")


def denoising_error(logits: Tensor, target: Tensor, *, activation: str) -> Tensor:
    r"""Cross entropy of each node's logits for queries whose instance is known.

    .. math::
        L_i^\text{softmax} &= \operatorname{mean}_g
            (-\ln \operatorname{softmax}([x_{gi}, 0])_{t_i}) \\
        L_i^\text{sigmoid} &= \operatorname{mean}_{g, m} \mathrm{BCE}(\sigma(x_{gim}), [m = t_i])

    with void as the target of a node without instance; columns of -inf are no queries.

    Args:
        logits: of G groups.
        target: right column of each node, -1 = none.
        activation: ``"softmax"`` or ``"sigmoid"``.

    Shapes:
        logits (G, N, M), target (N,) -> (N,).
    """
    groups, size, columns = logits.shape
    if activation == "softmax":
        void = logits.new_zeros(groups, size, 1)
        scores = torch.cat([void, logits], dim=2).flatten(0, 1)
        each = cross_entropy(scores, (target + 1).repeat(groups), reduction="none")
        return each.view(groups, size).mean(0)
    real = torch.isfinite(logits)
    right = torch.arange(columns, device=logits.device) == target[:, None]  # (N, M)
    kept = torch.where(real, logits, 0)
    wanted = right.to(logits.dtype).expand_as(kept)
    each = binary_cross_entropy_with_logits(kept, wanted, reduction="none") * real
    return (each.sum(2) / real.sum(2).clamp(min=1)).mean(0)


class DenoisingLoss(nn.Module):
    """Loss of the denoising queries of `DN-DETR (Li et al., CVPR 2022)
    <https://arxiv.org/abs/2203.01305>`_, beside any loss of the others: their masks by
    :func:`denoising_error`, and the cross entropy of their classes.

    Args:
        activation (str): ``"softmax"`` beside losses of exclusive queries with void, ``"sigmoid"``
            beside losses of separate masks. (default: ``"softmax"``)
        mask_weight (float): (default: 1.0)
        class_weight (float): (default: 1.0)

    Shapes:
        - **logits**: (G, N, M), -inf in columns that are no queries; **target**: (N,) integer
        - **query_ptr**: (B+1,), **class_logits**: (G, K, C), **y**: (N,) classes of the nodes, -1 =
          none; an instance's class is that of most of its nodes, of equally many the smallest
        - **ptr**: (B+1,) of the nodes; **node_weight**: (N,); **ignore**: (N,) bool
        - **output**: :class:`LossTerms` ``denoising`` and, with classes, ``denoising_class``

    Raises:
        InputError: shapes do not fit, or an unknown activation.
    """

    def __init__(
        self, *, activation: str = "softmax", mask_weight: float = 1.0, class_weight: float = 1.0
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise InputError(f"activation {activation!r} is neither 'softmax' nor 'sigmoid'")
        self.activation = activation
        self.weights = {"denoising": mask_weight, "denoising_class": class_weight}

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        query_ptr: Tensor,
        *,
        ptr: Tensor | None = None,
        class_logits: Tensor | None = None,
        y: Tensor | None = None,
        node_weight: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> LossTerms:
        """The terms; shapes and meaning as the class says."""
        if logits.dim() != 3 or target.shape != logits.shape[1:2]:
            raise InputError(
                f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must be (G, N, M) "
                "and (N,)"
            )
        bounds = ops.resolve_ptr(None, ptr, target.shape[0], target.device)
        if logits.dtype not in (torch.float32, torch.float64):
            logits = logits.float()
        weight = logits.new_ones(target.shape) if node_weight is None else node_weight.detach()
        if ignore is not None:
            weight = weight * ~ignore.to(torch.bool)
        each = denoising_error(logits, target, activation=self.activation)
        terms = {"denoising": mean_of_graphs(each, weight.to(each.dtype), bounds)}
        if class_logits is not None and y is not None:
            base = query_ptr[ops.batch_from_ptr(bounds, target.shape[0])]
            row = torch.where(target >= 0, base + target, -1)
            label = majority_class(y, row, weight, class_logits.shape[1], class_logits.shape[2])
            scores = class_logits.float().flatten(0, 1)
            summed = cross_entropy(
                scores, label.repeat(class_logits.shape[0]), ignore_index=-1, reduction="sum"
            )
            known = (label >= 0).sum() * class_logits.shape[0]
            terms["denoising_class"] = summed / known.clamp(min=1)
        return LossTerms(terms, {name: self.weights[name] for name in terms})

    def extra_repr(self) -> str:
        return f"activation={self.activation!r}"
