"""Receive postbacks of submitted tasks and changed jobs. Needs the extra `picoworkers-async[webhooks]`."""

try:
    import starlette as _starlette  # noqa: F401
except ImportError as _missing:
    raise ImportError(
        f"picoworkers_async.webhooks needs {_missing.name}; install `picoworkers-async[webhooks]`"
    ) from None

from .file import SubmittedError
from .job_changes import JobChanges
from .receiver import Receiver
from .tasks import SubmittedTasks

__all__ = ["JobChanges", "Receiver", "SubmittedError", "SubmittedTasks"]
