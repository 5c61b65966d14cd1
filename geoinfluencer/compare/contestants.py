"""Whose losses are compared: names with options, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.training.configuration.checks import validate_options
from geoinfluencer.training.configuration.yaml_layers import Layer, parse_assignments


@dataclass(frozen=True)
class Contestant:
    """A loss as it was named: ``hungarian``, or with options ``mask-influencer:coupling=none``.

    A key without a dot is an option of the loss; one with a dot is a setting of any section of a
    training run: ``mask-influencer:model.queries=learned``.

    Attributes:
        name: all of it; what tables and figures call it.
        loss: the loss's own name.
        options: ``key=value`` strings of the loss.
        settings: ``section.key=value`` strings.
    """

    name: str
    loss: str
    options: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The name as that of a folder."""
        return re.sub(r"[^A-Za-z0-9._=+-]", "+", self.name)

    @property
    def assignments(self) -> list[str]:
        """``section.key=value`` strings that configure a run with this loss."""
        options = (f"loss.{option}" for option in self.options)
        return [f"loss.name={self.loss}", *options, *self.settings]


def parse_losses(text: str, known: Mapping[str, type[nn.Module]]) -> tuple[Contestant, ...]:
    """The contestants of ``--losses a,b,c``.

    Raises:
        InputError: an unknown name, one given twice, or none.
    """
    found: dict[str, Contestant] = {}
    for name in (part.strip() for part in text.split(",")):
        loss, *options = name.split(":")
        if loss not in known:
            raise InputError(f"--losses: no loss is called {loss!r}; {suggest(loss, known)}")
        for option in options:
            if not re.fullmatch(r"\w+(\.\w+)*=.+", option):
                raise InputError(
                    f"--losses {name}: expected NAME:key=value, for example {loss}:key=0.5"
                )
        if name in found:
            raise InputError(f"--losses: {name} is there twice; name it once")
        dotted = tuple(option for option in options if "." in option.partition("=")[0])
        own = tuple(option for option in options if option not in dotted)
        found[name] = Contestant(name, loss, own, dotted)
    if len({c.folder for c in found.values()}) < len(found):
        raise InputError("--losses: two names differ in punctuation alone; change one")
    return tuple(found.values())


def choose_reference(name: str | None, contestants: Sequence[Contestant]) -> str:
    """The loss that the others are compared with: the one asked for, ``hungarian``, or the first.

    Raises:
        InputError: it does not take part.
    """
    names = [c.name for c in contestants]
    if name is None:
        return "hungarian" if "hungarian" in names else names[0]
    if name not in names:
        raise InputError(f"--reference {name}: is not among --losses; {suggest(name, names)}")
    return name


def build(contestant: Contestant, known: Mapping[str, type[nn.Module]]) -> nn.Module:
    """The loss alone, with its options checked against its signature.

    Raises:
        InputError: an unknown option, a value of the wrong type, or a setting of something else.
    """
    if contestant.settings:
        key = contestant.settings[0].partition("=")[0]
        raise InputError(
            f"--losses {contestant.name}: {key} is a setting of a training run, and nothing is "
            "trained here; give options of the loss alone"
        )
    layer = parse_assignments([f"loss.{option}" for option in contestant.options])
    section = layer.section("loss")
    given = Layer(section.values, {key: f"--losses {contestant.name}" for key in section.origins})
    options = validate_options(known[contestant.loss], given, "loss")
    return known[contestant.loss](**options)
