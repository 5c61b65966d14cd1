"""Starting from the weights of another run: other data, another loss, another head."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from geoinfluencer.errors import InputError
from geoinfluencer.training.checkpoint import load_checkpoint


def adopt_weights(model: nn.Module, path: str | Path) -> tuple[int, int]:
    """Copies into a model what a checkpoint holds under the same name and in the same shape, the
    normalisation of the features included: the weights behind it were trained on it.

    Args:
        model: changed in place; what the checkpoint lacks stays as it is.
        path: a checkpoint of any run.

    Returns:
        Tensors copied, and how many the model has.

    Raises:
        InputError: the checkpoint cannot be read, or none of its tensors fits.
    """
    stored, own = load_checkpoint(path).weights, model.state_dict()
    fitting = {
        name: tensor
        for name, tensor in stored.items()
        if name in own and own[name].shape == tensor.shape
    }
    if not fitting.keys() & dict(model.named_parameters()).keys():
        raise InputError(
            f"train.init_from={path}: none of its {len(stored)} tensors of weights has a name and "
            "shape of this model; start from a run with the same encoder and width"
        )
    with torch.no_grad():
        model.load_state_dict(fitting, strict=False)
    return len(fitting), len(own)
