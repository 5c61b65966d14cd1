"""Configuration layers: YAML read with line numbers, dotted ``--set`` keys, merging."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from geoinfluencer.errors import InputError

KeyPath = tuple[str, ...]


@dataclass
class Layer:
    """A nested mapping of settings and, for each of its keys, the place it was written at."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)  # key path -> "file:line" or argument

    def origin(self, path: Sequence[Any]) -> str:
        """Where the key at ``path``, or the nearest key above it, was set."""
        keys = tuple(str(key) for key in path)
        while keys:
            if keys in self.origins:
                return self.origins[keys]
            keys = keys[:-1]
        return "configuration"

    def section(self, *path: str) -> Layer:
        """The part of this layer below ``path`` (empty if there is none)."""
        values: Any = self.values
        for key in path:
            values = values.get(key) or {}
        depth = len(path)
        below = {k[depth:]: v for k, v in self.origins.items() if k[:depth] == path and k != path}
        return Layer(dict(values), below)

    def without(self, *keys: str) -> Layer:
        """This layer less some of its top-level keys."""
        values = {k: v for k, v in self.values.items() if k not in keys}
        return Layer(values, {k: v for k, v in self.origins.items() if k[0] not in keys})


class _Loader(yaml.SafeLoader):
    """Safe YAML in which ``1e-3`` is a number (YAML 1.1 wants ``1.0e-3`` and reads a string)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def parse_yaml(text: str, source: str) -> Layer:
    """Reads settings from YAML text.

    Args:
        text: the document; its top level must be a mapping (an empty document is an empty one).
        source: name of the document in messages, usually the file's path.

    Raises:
        InputError: not YAML, not a mapping, or a key given twice; names the line.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        layer = Layer()
        if node is None:
            return layer
        if not isinstance(node, yaml.MappingNode):
            raise InputError(f"{source}: expected 'key: value' lines at the top level")
        layer.values = loader.construct_document(node)
        _record(node, (), source, layer.origins)
        return layer
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise InputError(f"{source}{line}: not valid YAML: {problem}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()


def _record(
    node: yaml.MappingNode, path: KeyPath, source: str, origins: dict[KeyPath, str]
) -> None:
    for key_node, value_node in node.value:
        keys = (*path, str(key_node.value))
        place = f"{source}:{key_node.start_mark.line + 1}"
        if keys in origins:
            name = ".".join(keys)
            raise InputError(f"{place}: key '{name}' was already set at {origins[keys]}; keep one")
        origins[keys] = place
        if isinstance(value_node, yaml.MappingNode):
            _record(value_node, keys, source, origins)


def read_yaml(path: str | Path) -> Layer:
    """Reads a settings file; see :func:`parse_yaml`."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such configuration file") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a folder; name the YAML file inside it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    return parse_yaml(text, str(path))


def parse_assignments(assignments: Sequence[str]) -> Layer:
    """Reads ``--set section.key=value`` arguments; values are typed as in YAML."""
    layer = Layer()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        keys = tuple(part.strip() for part in key.split("."))
        if not equals or not all(keys):
            raise InputError(
                f"--set {assignment}: expected section.key=value, for example train.max_steps=500"
            )
        try:
            value = yaml.load(text, _Loader)
        except yaml.YAMLError as error:
            raise InputError(f"--set {assignment}: the value is not valid YAML") from error
        layer = merge(layer, assign(keys, value, f"--set {assignment}"))
    return layer


def assign(keys: KeyPath, value: Any, origin: str) -> Layer:
    """A layer that sets one key."""
    nested = value
    for key in reversed(keys):
        nested = {key: nested}
    origins = {keys[: i + 1]: origin for i in range(len(keys))}
    return Layer(nested, origins)


def merge(below: Layer, above: Layer) -> Layer:
    """``below`` with the settings of ``above`` laid over it; sections merge, values replace.

    Raises:
        InputError: a single value stands where a section belongs.
    """
    return Layer(_merge(below.values, above, ()), {**below.origins, **above.origins})


def _merge(below: Mapping[str, Any], layer: Layer, path: KeyPath) -> dict[str, Any]:
    merged = dict(below)
    above: Any = layer.values
    for key in path:
        above = above[key]
    for key, value in above.items():
        old = merged.get(key)
        if not isinstance(old, Mapping):
            merged[key] = value
        elif isinstance(value, Mapping):
            merged[key] = _merge(old, layer, (*path, key))
        elif value is not None:  # an empty section in a file changes nothing
            name = ".".join((*path, key))
            raise InputError(
                f"{layer.origin((*path, key))}: {name} is a section; set {name}.KEY instead"
            )
    return merged
