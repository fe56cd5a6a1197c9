"""Asyncio client for the Picoworkers (SproutGigs) employer API."""

__version__ = "0.1.0"
