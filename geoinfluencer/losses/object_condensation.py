"""Object Condensation, the rival that this package's own loss is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.charges import potential_with_charges
from geoinfluencer.losses.inputs import Nodes, prepare_nodes
from geoinfluencer.losses.segments import Segments, instance_segments
from geoinfluencer.losses.terms import LossTerms

#: beta is clamped this far below 1, where atanh would be infinite
BETA_CEILING = 1.0 - 1e-4


def object_condensation_terms(nodes: Nodes, *, q_min: float) -> dict[str, Tensor]:
    """The four terms of :class:`ObjectCondensationLoss`, mean over graphs, as a pure function.

    Args:
        nodes: of tensors named ``x`` and ``beta``.
        q_min: charge of a node with beta = 0.

    Shapes:
        four scalars.
    """
    x, beta = nodes.embeddings["x"], nodes.embeddings["beta"]
    graphs = nodes.ptr.shape[0] - 1
    segments = instance_segments(nodes.instance, nodes.ptr)
    slots, row = segments.compact()  # (K,), (N,)
    alpha = _representatives(beta, segments)[slots]  # (K,)
    charge = torch.atanh(beta.clamp(0.0, BETA_CEILING)).square() + q_min
    owner_graph = segments.slot_graph[slots]  # (K,)
    size = segments.count[slots].to(x.dtype)  # (K,)
    one_per = torch.ones_like(size)
    instances = ops.segment_sum(one_per, owner_graph, graphs)  # (B,)
    per_graph = one_per / instances[owner_graph]  # share of each instance in its graph's mean

    member = (row >= 0).nonzero()[:, 0]
    owner = row[member]
    square = (x[member] - x[alpha[owner]]).square().sum(-1)
    pull = nodes.weight[member] * charge[member] * charge[alpha[owner]] * square
    attraction = ops.segment_sum(pull, owner, slots.shape[0]) / size * per_graph

    others = nodes.ptr.diff()[owner_graph].to(x.dtype) - size
    repulsion = potential_with_charges(
        x,
        x[alpha],
        nodes.weight * charge,
        charge[alpha] * per_graph / others.clamp(min=1),
        x_instance=nodes.instance,
        y_instance=nodes.instance[alpha],
        x_ptr=nodes.ptr,
        y_ptr=torch.searchsorted(owner_graph, torch.arange(graphs + 1, device=x.device)),
    )

    coward = (1.0 - beta[alpha]) * per_graph
    background = (row < 0).to(x.dtype)
    noise = ops.segment_sum(beta * background, segments.by_graph)
    noise = noise / ops.segment_sum(background, segments.by_graph).clamp(min=1)
    total = {"attraction": attraction, "repulsion": repulsion, "coward": coward, "noise": noise}
    return {name: value.sum() / max(graphs, 1) for name, value in total.items()}


def _representatives(beta: Tensor, segments: Segments) -> Tensor:
    """Node (S,) with the largest beta of each slot, of equal ones the first."""
    slot = segments.by_slot
    best = ops.segment_max(beta.detach(), slot)
    largest = beta.detach() == ops.segment_gather(best, slot)
    node = torch.arange(beta.shape[0], device=beta.device)
    behind = torch.full_like(node, beta.shape[0])
    return ops.segment_min(torch.where(largest, node, behind), slot)


class ObjectCondensationLoss(nn.Module):
    r"""Object Condensation after `"Object condensation" (Kieseler, Eur. Phys. J. C 80, 886, 2020)
    <https://doi.org/10.1140/epjc/s10052-020-08461-2>`_: the node with the largest beta stands for
    its instance, attracts its members and repels all other nodes.

    With the charge :math:`q_i = \operatorname{atanh}^2 \beta_i + q_\text{min}` and the
    representative :math:`\alpha_k = \arg\max_{i \in k} \beta_i`:

    .. math::
        L_\text{attraction} &= \operatorname{mean}_k \operatorname{mean}_{i \in k}
            w_i q_i q_{\alpha_k} |x_i - x_{\alpha_k}|^2 \\
        L_\text{repulsion} &= \operatorname{mean}_k \operatorname{mean}_{i \notin k}
            w_i q_i q_{\alpha_k} \max(0, 1 - |x_i - x_{\alpha_k}|) \\
        L_\text{coward} &= \operatorname{mean}_k (1 - \beta_{\alpha_k}) \qquad
        L_\text{noise} = \operatorname{mean}_{i \in \text{background}} \beta_i

    per graph, then mean over graphs. The repulsion goes through the potential op: no (N, K)
    matrix. Its gradient with respect to beta is exact too, from the pairs within the radius.

    Args:
        q_min (float): charge of a node with beta = 0. (default: 0.1)
        attraction_weight, repulsion_weight, coward_weight, noise_weight (float): factors of the
            terms in the total. (default: 1.0 each)
        check_finite (bool): look for NaN and infinity. (default: :obj:`True`)

    Shapes:
        - **x**: (N, D) clustering coordinates; **beta**: (N,) in [0, 1], a sigmoid's output
        - **instance**: (N,) integer, -1 = background
        - **batch** (N,) ascending or **ptr** (B+1,), **node_weight** (N,), **ignore** (N,) bool
        - **output**: :class:`LossTerms` ``attraction``, ``repulsion``, ``coward``, ``noise``

    Raises:
        InputError: shapes or types do not fit, or a tensor is not finite (named).
    """

    def __init__(
        self,
        *,
        q_min: float = 0.1,
        attraction_weight: float = 1.0,
        repulsion_weight: float = 1.0,
        coward_weight: float = 1.0,
        noise_weight: float = 1.0,
        check_finite: bool = True,
    ) -> None:
        super().__init__()
        if not q_min > 0:
            raise InputError(f"q_min is {q_min}; it must be positive")
        self.q_min = q_min
        self.weights = {
            "attraction": attraction_weight,
            "repulsion": repulsion_weight,
            "coward": coward_weight,
            "noise": noise_weight,
        }
        self.check_finite = check_finite

    def forward(
        self,
        x: Tensor,
        beta: Tensor,
        instance: Tensor,
        batch: Tensor | None = None,
        *,
        ptr: Tensor | None = None,
        node_weight: Tensor | None = None,
        ignore: Tensor | None = None,
    ) -> LossTerms:
        """The four terms; shapes and meaning as the class says."""
        if x.dim() != 2 or beta.dim() != 1:
            raise InputError(f"x {tuple(x.shape)} must be (N, D), beta {tuple(beta.shape)} (N,)")
        nodes = prepare_nodes(
            {"x": x, "beta": beta},
            instance,
            batch,
            ptr=ptr,
            node_weight=node_weight,
            ignore=ignore,
            check_finite=self.check_finite,
        )
        return LossTerms(object_condensation_terms(nodes, q_min=self.q_min), self.weights)

    def extra_repr(self) -> str:
        return f"q_min={self.q_min}"
