"""Receiving SproutGigs' postbacks of submitted tasks. Needs the extra `picoworkers-async[webhooks]`."""

try:
    import starlette as _starlette  # noqa: F401
except ImportError as _missing:
    raise ImportError(
        f"picoworkers_async.webhooks needs {_missing.name}; install `picoworkers-async[webhooks]`"
    ) from None

from .receiver import Receiver
from .submitted import SubmittedError
from .tasks import SubmittedTasks

__all__ = ["Receiver", "SubmittedError", "SubmittedTasks"]
