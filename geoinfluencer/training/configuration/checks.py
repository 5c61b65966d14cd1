"""Checks settings against pydantic models and against the signatures of the classes they feed."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.training.configuration.yaml_layers import Layer

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """Base of every configuration section: unknown keys are errors, values are frozen and strict
    (``"12"`` is no number and ``1`` no truth value)."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, protected_namespaces=(), validate_default=True
    )


def validate(model: type[Model], layer: Layer, prefix: tuple[str, ...] = ()) -> Model:
    """Builds ``model`` from a layer.

    Args:
        model: the section's class.
        layer: values and where each was written.
        prefix: the section's own path, for messages.

    Raises:
        InputError: names file and line (or the argument), the key, and what was expected.
    """
    try:
        # JSON mode, so that strictness still takes lists for tuples and strings for paths.
        return model.model_validate_json(json.dumps(layer.values, default=str))
    except ValidationError as error:
        raise InputError(_explain(error, model, layer, prefix)) from error


def _explain(
    error: ValidationError, model: type[BaseModel], layer: Layer, prefix: tuple[str, ...]
) -> str:
    first = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"])
    place = layer.origin(path)
    name = ".".join((*prefix, *path))
    if first["type"] == "extra_forbidden":
        return f"{place}: unknown key '{name}'; {suggest(path[-1], _fields_at(model, path[:-1]))}"
    if first["type"] == "missing":
        return f"{place}: '{name}' is missing; set it with --set {name}=VALUE"
    if not path:  # a rule between several keys
        return f"{'.'.join(prefix) or 'configuration'}: {_message(first)}"
    return f"{place}: '{name}': {_message(first)}, got {first['input']!r}"


def _message(error: Any) -> str:
    text = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return text[:1].lower() + text[1:]


def _fields_at(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    for key in path:
        info = model.model_fields.get(key)
        if info is None or not _is_model(info.annotation):
            return []
        model = typing.cast("type[BaseModel]", info.annotation)
    return list(model.model_fields)


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


@lru_cache(maxsize=64)
def signature_model(target: Callable[..., Any], exclude: frozenset[str]) -> type[Section]:
    """A section whose keys, types and defaults are those of a callable's parameters.

    Args:
        target: a class or function; ``**kwargs`` in its signature allows further keys.
        exclude: parameters supplied by the program and not by the user.
    """
    inner = target.__init__ if inspect.isclass(target) else target
    try:
        hints = typing.get_type_hints(inner)
    except (NameError, TypeError):
        hints = {}  # names that exist for type checkers only: keys are checked, types are not
    fields: dict[str, Any] = {}
    extra: typing.Literal["allow", "forbid"] = "forbid"
    for name, parameter in inspect.signature(target).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind is not parameter.VAR_POSITIONAL and name not in exclude:
            default = ... if parameter.default is parameter.empty else parameter.default
            if isinstance(default, tuple):
                default = list(default)  # as YAML has it: a written configuration reads back equal
            fields[name] = (_jsonable(hints.get(name, Any)), default)
    config = ConfigDict(
        extra=extra, frozen=True, strict=True, protected_namespaces=(), arbitrary_types_allowed=True
    )
    name = getattr(target, "__name__", "Options")
    return create_model(f"{name}Options", __config__=config, **fields)


def _jsonable(hint: Any) -> Any:
    """``hint``, or ``Any`` where YAML has no such values (callables, tensors)."""
    try:
        create_model("Probe", value=(hint, ...))
    except Exception:  # pydantic refuses types it cannot describe with several exception classes
        return Any
    return hint


def validate_options(
    target: Callable[..., Any], layer: Layer, section: str, exclude: Collection[str] = ()
) -> dict[str, Any]:
    """Keyword arguments for ``target``, checked against its signature, its defaults filled in."""
    model = signature_model(target, frozenset(exclude))
    options = validate(model, layer, (section,))
    return {name: getattr(options, name) for name in _names(model, layer.values)}


def _names(model: type[BaseModel], values: Mapping[str, Any]) -> list[str]:
    return [*model.model_fields, *(key for key in values if key not in model.model_fields)]
