"""How a command ends: its exit code, and the errors that name one."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What the exit code says."""

    DONE = 0
    FAILED = 1
    """Something was refused, or failed; what was not done may be repeated."""
    USAGE = 2
    """The command, a file or the credentials have to be corrected; nothing was done."""
    UNKNOWN = 3
    """Something may have taken effect, and reading could not tell: check before you repeat it."""
    INTERRUPTED = 130


class CommandError(Exception):
    """The command ends here, with these lines and this exit code."""

    def __init__(self, *lines: str, code: Exit = Exit.USAGE) -> None:
        self.lines = lines
        self.code = code
        super().__init__("; ".join(lines))


class CredentialsError(CommandError):
    """There are no usable credentials: what is wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}: {remedy}")
