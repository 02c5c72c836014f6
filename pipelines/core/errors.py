"""The one exception for mistakes that a user can make and mend."""

from __future__ import annotations

LONGEST = 1000  # characters of a message: what was found may be a whole file


class UserError(Exception):
    """A mistake in a file, a value or a setting.

    The message is one line that names the file, the field, what was found and how to mend it;
    the command line prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        line = "".join(map(_shown, " ".join(message.split())))
        if len(line) > LONGEST:
            line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
        super().__init__(line)


def _shown(character: str) -> str:
    """A terminal would obey a control character in the name of a file."""
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
