"""The one exception a user is meant to read."""


class InputError(ValueError):
    """Bad input from outside: a file, a line of it, an argument, a configuration key.

    The message is ONE line that names the thing at fault and the remedy. The command line prints it
    and exits with code 2; in Python it is an ordinary :class:`ValueError`.
    """
