"""Whether a value can be pickled: users may give anything."""

from __future__ import annotations


def survives_pickling(value: object) -> bool:
    """Whether the value can be pickled and unpickled: some can be pickled, but not read back."""
    import pickle  # loaded when something is pickled, or copied

    try:
        pickle.loads(pickle.dumps(value))  # noqa: S301
    except Exception:
        return False
    return True
