"""The one exception for mistakes that a user can make and mend."""

from __future__ import annotations


class UserError(Exception):
    """A mistake in a file, a value or a setting.

    The message is one line that names the file, the field, what was found and how to mend it;
    the command line prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
