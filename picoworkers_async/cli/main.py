"""`picoworkers`: the entry point, which also says what to do if the command's extra is not installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_REMEDY = 'picoworkers: the command line needs its extra: pip install "picoworkers-async[cli]"\n'
_USAGE, _INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (`sys.argv` if left out); returns its exit code."""
    try:
        from .leaving import leave_threads
        from .run import run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("cyclopts", "rich"):
            raise
        sys.stderr.write(_REMEDY)
        return _USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    if arguments is not None:
        return run(arguments)
    code = run(sys.argv[1:])
    leave_threads(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
