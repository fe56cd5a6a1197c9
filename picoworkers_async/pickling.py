"""Whether a value can be pickled: what users give may be anything."""

from __future__ import annotations


def survives_pickling(value: object) -> bool:
    """Whether the value comes out of a pickle again: some go in, and cannot be read back."""
    import pickle  # loaded when something is pickled, or copied

    try:
        pickle.loads(pickle.dumps(value))  # noqa: S301
    except Exception:
        return False
    return True
