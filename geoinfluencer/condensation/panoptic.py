"""Instances -> a panoptic labelling: things one by one, stuff as one region per class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.condensation.instances import Instances
from geoinfluencer.errors import InputError


def merge_stuff(instances: Instances, stuff: Iterable[int]) -> Instances:
    """All instances of a stuff class of a graph become one, as `panoptic segmentation (Kirillov et
    al., CVPR 2019) <https://arxiv.org/abs/1801.00868>`_ wants it; things stay as they are.

    The score of a merged instance is the mean of its parts' by size; the node that stands for it,
    its properties and its place are those of its first part.

    Args:
        instances: with labels.
        stuff: classes without instances, such as floor or sky.

    Raises:
        InputError: the instances have no labels.
    """
    if instances.label is None:
        raise InputError("instances have no labels; stuff is told from things by class_logits")
    rows = torch.arange(len(instances), device=instances.ptr.device)
    classes = torch.tensor(sorted(set(stuff)), dtype=torch.int64, device=rows.device)
    is_stuff = torch.isin(instances.label, classes)
    # the first part of each (graph, stuff class) takes in the others
    keys = torch.stack([instances.batch, instances.label])[:, is_stuff]
    _, group = torch.unique(keys, dim=1, return_inverse=True)
    first = torch.full_like(group, len(instances))
    first = first.scatter_reduce(0, group, rows[is_stuff], "amin")
    into = rows.clone()
    into[is_stuff] = first[group]

    kept = (into == rows).nonzero()[:, 0]
    place = torch.full_like(rows, -1)
    place[kept] = torch.arange(kept.shape[0], device=rows.device)
    merged = place[into]  # (K,) new row of each old one
    size = ops.segment_sum(instances.size, merged, kept.shape[0])
    weighted = instances.score * instances.size
    score = ops.segment_sum(weighted, merged, kept.shape[0]) / size.clamp(min=1)

    graph = ops.batch_from_ptr(instances.ptr, instances.instance.shape[0])
    old_base, batch = instances.instance_ptr, instances.batch[kept]
    new_base = torch.searchsorted(batch, torch.arange(instances.num_graphs, device=rows.device))
    member = (instances.instance >= 0).nonzero()[:, 0]
    old = old_base[graph[member]] + instances.instance[member]
    instance = torch.full_like(instances.instance, -1)
    instance[member] = merged[old] - new_base[graph[member]]
    return replace(
        instances,
        instance=instance,
        influencer=instances.influencer[kept],
        score=score.to(instances.score.dtype),
        size=size,
        batch=batch,
        label=instances.label[kept],
        properties={name: value[kept] for name, value in instances.properties.items()},
    )


def node_labels(instances: Instances) -> Tensor:
    """Class (N,) int64 of each node's instance, -1 where there is none.

    Raises:
        InputError: the instances have no labels.
    """
    if instances.label is None:
        raise InputError("instances have no labels; give class_logits when condensing")
    label = torch.full_like(instances.instance, -1)
    member = (instances.instance >= 0).nonzero()[:, 0]
    graph = ops.batch_from_ptr(instances.ptr, label.shape[0])[member]
    row = instances.instance_ptr[graph] + instances.instance[member]
    label[member] = instances.label[row]
    return label
