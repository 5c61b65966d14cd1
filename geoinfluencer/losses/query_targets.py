"""The boundary of the mask losses: queries and instances of a batch, checked, graph by graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.inputs import require_finite
from geoinfluencer.losses.node_sampling import sample_nodes
from geoinfluencer.losses.query_checks import check_classes, check_logits, check_rows
from geoinfluencer.losses.segments import instance_segments


@dataclass(frozen=True)
class QueryTargets:
    """Checked query outputs of a batch, and the instances that they should find.

    Instances are ordered by graph, then by id; those without weight (all members ignored or of
    weight 0) are not there. Ignored nodes stay in place with weight 0, ``row`` -1 and no
    background: leaving them out would copy the logits.
    """

    logits: Tensor  # (N, M) float32 or float64, -inf where a graph has no such query
    row: Tensor  # (N,) int64: instance of each node, 0..K-1; -1 = background or ignored
    background: Tensor  # (N,) bool: counts, and belongs to no instance
    weight: Tensor  # (N,) float, no gradient; 0 = ignored
    graph: Tensor  # (N,) int64: graph of each node
    ptr: Tensor  # (B+1,) int64: first node of each graph
    row_ptr: Tensor  # (B+1,) int64: first instance of each graph
    row_graph: Tensor  # (K,) int64: graph of each instance
    size: Tensor  # (K,) float: summed weight of the nodes, > 0
    instance_weight: Tensor  # (K,) float: weight of the instance in means over instances
    instance_class: Tensor | None  # (K,) int64: class of most of its nodes' weight, -1 = none
    query_ptr: Tensor  # (B+1,) int64: first query of each graph
    quality_logits: Tensor | None  # (Q,)
    class_logits: Tensor | None  # (Q, C)
    kept: Tensor | None  # (N,) int64: rows of the input that were drawn; None = all of them

    @property
    def num_instances(self) -> int:
        """K."""
        return self.size.shape[0]

    @property
    def num_graphs(self) -> int:
        """B."""
        return self.ptr.shape[0] - 1

    @property
    def query_graph(self) -> Tensor:
        """Graph of each query, (Q,)."""
        return ops.batch_from_ptr(self.query_ptr)

    @property
    def query_column(self) -> Tensor:
        """Column of each query in the logits, (Q,)."""
        graph = self.query_graph
        return torch.arange(graph.shape[0], device=graph.device) - self.query_ptr[graph]

    @property
    def exists(self) -> Tensor:
        """Whether a column is a query of the graph, (B, M) bool."""
        columns = torch.arange(self.logits.shape[1], device=self.logits.device)
        return columns < self.query_ptr.diff()[:, None]

    @property
    def query(self) -> Tensor:
        """Query (0..Q-1) behind each entry of a (K, M) table; that of another where none exists."""
        columns = torch.arange(self.logits.shape[1], device=self.logits.device)
        last = max(int(self.query_ptr[-1]) - 1, 0)
        return (self.query_ptr[self.row_graph][:, None] + columns).clamp(max=last)

    def mean_over_instances(self, values: Tensor, counts: Tensor | None = None) -> Tensor:
        """Weighted mean (K,) -> () over the instances (those that count (K,)) of each graph, then
        over the graphs."""
        weight = self.instance_weight if counts is None else self.instance_weight * counts
        return self._mean(values, weight, self.row_graph)

    def mean_over_background(self, values: Tensor) -> Tensor:
        """Weighted mean (N,) -> () over the background of each graph, then over the graphs."""
        return self._mean(values, self.weight * self.background, self.graph)

    def mean_over_queries(self, values: Tensor) -> Tensor:
        """Mean (Q,) -> () over the queries of each graph, then over the graphs."""
        return self._mean(values, torch.ones_like(values), self.query_graph)

    def _mean(self, values: Tensor, weight: Tensor, graph: Tensor) -> Tensor:
        mass = ops.segment_sum(weight, graph, self.num_graphs)
        share = weight / torch.where(mass > 0, mass, 1)[graph]
        # a value that does not count may be infinite
        return torch.where(share > 0, values * share, 0).sum() / max(self.num_graphs, 1)


def query_targets(
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
    max_nodes: int | None = None,
    generator: torch.Generator | None = None,
    check_finite: bool = True,
) -> QueryTargets:
    """Check the arguments of a mask loss and find the instances; half is raised to float32.

    Args:
        logits: column m of a node of graph b is query ``query_ptr[b] + m``; the columns beyond the
            queries of a graph hold -inf.
        instance: instance id of each node, negative = background; unique within a graph only.
        batch: graph of each node, ascending; or give ``ptr``. Neither: one graph.
        ptr: first node of each graph, and N.
        query_ptr: first query of each graph, and Q. (default: every graph has all M columns)
        quality_logits: how good each query is as an instance.
        class_logits: classes of each query, without one for "no object".
        y: class of each node, negative = none; read where ``class_logits`` is given.
        node_weight: non-negative weight of each node. (default: 1)
        instance_weight: non-negative weight of each node's instance: its mean over the members.
        ignore: true = the node takes part in nothing.
        max_nodes: nodes of a graph to draw where it has more, see
            :func:`~geoinfluencer.losses.node_sampling.sample_nodes`. (default: all)
        generator: for the draw; default torch's own.
        check_finite: look for NaN, infinity and negative weights.

    Shapes:
        logits (N, M), instance (N,), batch (N,), ptr, query_ptr (B+1,), quality_logits (Q,),
        class_logits (Q, C), the rest (N,).

    Raises:
        InputError: a shape or type does not fit, or values are not finite (named).
    """
    per_node = {"y": y, "node_weight": node_weight, "instance_weight": instance_weight}
    per_node |= {"batch": batch, "ignore": ignore}
    check_rows(logits, instance, per_node)
    nodes, width = logits.shape
    device = logits.device
    ptr = ops.resolve_ptr(batch, ptr, nodes, device)
    graphs = ptr.shape[0] - 1
    if query_ptr is None:
        query_ptr = torch.arange(graphs + 1, device=device) * width
        ragged = False
    else:
        ragged = True
    if query_ptr.shape != ptr.shape or query_ptr.is_floating_point():
        raise InputError(
            f"query_ptr has shape {tuple(query_ptr.shape)}; expected integers ({graphs + 1},), "
            f"one boundary more than the {graphs} graphs"
        )
    query_ptr = query_ptr.to(torch.int64)
    check_classes(query_ptr, width, quality_logits, class_logits, y)
    if check_finite:
        for name, value in (("node_weight", node_weight), ("instance_weight", instance_weight)):
            if value is not None and bool((value < 0).any()):
                raise InputError(f"{name} has {int((value < 0).sum())} negative values")
        named = {"quality_logits": quality_logits, "class_logits": class_logits}
        named |= {"node_weight": node_weight, "instance_weight": instance_weight}
        given = {name: value for name, value in named.items() if value is not None}
        if given:
            require_finite(given)
        check_logits(logits, ptr, query_ptr.diff() if ragged else None)

    ids = instance.to(torch.int64).clamp(min=-1)
    counts = None if ignore is None else ~ignore.to(torch.bool)
    wide = torch.float64 if logits.dtype == torch.float64 else torch.float32
    weight = torch.ones(nodes, dtype=wide, device=device)
    if node_weight is not None:
        weight = node_weight.detach().to(wide)
    if counts is not None:
        weight = weight * counts
    kept = None
    if max_nodes is not None:
        drawn = sample_nodes(ids, ptr, max_nodes, counts=counts, generator=generator)
        if drawn is not None:
            kept, factor, ptr = drawn
            logits, ids, weight = logits[kept], ids[kept], weight[kept] * factor.to(wide)
            counts = None  # the ignored were not drawn
            y = None if y is None else y[kept]
            instance_weight = None if instance_weight is None else instance_weight[kept]

    segments = instance_segments(ids, ptr)
    mass = ops.segment_sum(weight, segments.by_slot)  # (S,)
    slots = (segments.is_instance & (mass > 0)).nonzero()[:, 0]
    of_slot = torch.full_like(segments.count, -1)
    of_slot[slots] = torch.arange(slots.shape[0], device=device)
    row = of_slot[segments.index]
    if counts is not None:
        row = torch.where(counts, row, -1)
    row_graph = segments.slot_graph[slots]
    size = mass[slots]
    importance = torch.ones_like(size)
    if instance_weight is not None:
        total = ops.segment_sum(instance_weight.detach().to(wide) * weight, segments.by_slot)
        importance = total[slots] / size
    label = None
    if class_logits is not None and y is not None:
        label = majority_class(y, row, weight, slots.shape[0], class_logits.shape[1])
    return QueryTargets(
        logits=logits.to(wide),
        row=row,
        background=(ids < 0) if counts is None else (ids < 0) & counts,
        weight=weight,
        graph=segments.graph,
        ptr=ptr,
        row_ptr=torch.searchsorted(row_graph, torch.arange(graphs + 1, device=device)),
        row_graph=row_graph,
        size=size,
        instance_weight=importance,
        instance_class=label,
        query_ptr=query_ptr,
        quality_logits=None if quality_logits is None else quality_logits.to(wide),
        class_logits=None if class_logits is None else class_logits.to(wide),
        kept=kept,
    )


def majority_class(y: Tensor, row: Tensor, weight: Tensor, instances: int, classes: int) -> Tensor:
    """Class of most weight among the nodes of each instance, the lowest of several; -1 = none.

    Shapes:
        y, row, weight (N,) -> (K,) int64.
    """
    votes = weight.new_zeros(instances * classes + 1)
    counts = (row >= 0) & (y >= 0)
    cell = torch.where(counts, row * classes + y, instances * classes)
    votes = votes.index_add(0, cell, torch.where(counts, weight, 0))[:-1].view(instances, classes)
    if not classes:
        return torch.full((instances,), -1, device=y.device)
    return torch.where(votes.amax(1) > 0, votes.argmax(1), -1)
