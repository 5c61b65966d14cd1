"""The one exception a user is meant to read, and the hint that its messages end on."""

from __future__ import annotations

import difflib
from collections.abc import Collection


class InputError(ValueError):
    """Bad input from outside: a file, a line of it, an argument, a configuration key.

    The message is ONE line that names the thing at fault and the remedy. The command line prints it
    and exits with code 2; in Python it is an ordinary :class:`ValueError`.
    """


def suggest(name: str, known: Collection[str], *, most: int | None = None) -> str:
    """``did you mean ...?`` when something is close, else the list of what is known.

    Args:
        name: What was given.
        known: What could have been given.
        most: Names to list at most; ``None`` = all.
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    close = close or [other for other in known if len(name) > 1 and name in other]
    if close:
        return f"did you mean '{close[0]}'?"
    listed = sorted(known)[:most]
    more = f" and {len(known) - len(listed)} more" if len(listed) < len(known) else ""
    return f"known here: {', '.join(listed) or 'nothing'}{more}"
