"""The console's pages: a served sandbox's at `/`, and one over a batch's journal. Needs the extra `sandbox`."""

from .watching import watch_journal

__all__ = ["watch_journal"]
