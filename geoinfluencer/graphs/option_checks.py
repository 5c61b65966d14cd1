"""Options of the graph builders, which may come out of a file as anything: one line says which."""

from __future__ import annotations

import math
from numbers import Integral, Real

from geoinfluencer.errors import InputError


def check_whole(name: str, value: object, low: int, high: float = math.inf) -> None:
    """Raises InputError unless an option is an integer in [low, high]."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and low <= value <= high):  # type: ignore[operator]
        limits = f"of at least {low}" if high == math.inf else f"in {low} to {high}"
        raise InputError(f"{name} must be a whole number {limits}, got {_shown(value)}")


def check_number(
    name: str, value: object, *, high: float = math.inf, zero: bool = False, or_null: bool = False
) -> None:
    """Raises InputError unless an option is a number in (0, high], and finite.

    Args:
        name: Of the option.
        value: To be checked.
        high: Largest value.
        zero: Whether 0 is allowed too.
        or_null: Whether ``None`` is.
    """
    if value is None and or_null:
        return
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not (number > 0 or (zero and number == 0)) or number > high or number == math.inf:
        kind = "a number of at least 0" if zero else "a positive number"
        limit = "" if high == math.inf else f" and at most {high:g}"
        other = " or null" if or_null else ""
        raise InputError(f"{name} must be {kind}{limit}{other}, got {_shown(value)}")


def check_flag(name: str, value: object) -> None:
    """Raises InputError unless an option is true or false."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be true or false, got {_shown(value)}")


def _shown(value: object) -> str:
    return "null" if value is None else f"{value!r:.60}"
