"""A small, honest sandbox of the service, for tests and demos. Needs the extra `picoworkers-async[sandbox]`."""

try:
    import starlette as _starlette  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
except ImportError as _missing:
    raise ImportError(
        f"picoworkers_async.sandbox needs {_missing.name}; install `picoworkers-async[sandbox]`"
    ) from None

from .behaviour import Behaviour
from .faults import Faults
from .ledger import Entry, Kind
from .messages import Logged
from .postbacks import PostbackShape
from .sandbox import Sandbox
from .seeds import ScreenshotProof, TextProof

__all__ = [
    "Behaviour",
    "Entry",
    "Faults",
    "Kind",
    "Logged",
    "PostbackShape",
    "Sandbox",
    "ScreenshotProof",
    "TextProof",
]
