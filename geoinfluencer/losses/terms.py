"""What every loss of this package returns: named, unweighted terms and their weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from geoinfluencer.errors import InputError


class LossTerms(dict[str, Tensor]):
    r"""Named UNWEIGHTED scalar terms of a loss, with the weights that make the total of them.

    .. math:: \mathrm{total} = \sum_t w_t \, L_t

    A term is what its formula says, so that a log of it does not change when a weight does.

    Args:
        terms: name -> scalar tensor.
        weights: name -> factor in the total; a name left out counts 1, a name that is no term
            is an error.

    Raises:
        InputError: a weight was given for a term that is not there.
    """

    def __init__(
        self, terms: Mapping[str, Tensor], weights: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(terms)
        given = dict(weights or {})
        unknown = sorted(set(given) - set(self))
        if unknown:
            raise InputError(f"weights for unknown terms {unknown}; the terms are {sorted(self)}")
        self.weights: dict[str, float] = {name: float(given.get(name, 1.0)) for name in self}

    @property
    def total(self) -> Tensor:
        """The weighted sum, a scalar attached to the graph of every term."""
        parts = [self.weights[name] * value for name, value in self.items()]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def detached(self) -> dict[str, Tensor]:
        """The terms and ``total`` without their graph, for a log."""
        values = {name: value.detach() for name, value in self.items()}
        values["total"] = self.total.detach()
        return values

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value.item():.4g}" for name, value in self.items())
        return f"LossTerms({shown})"
