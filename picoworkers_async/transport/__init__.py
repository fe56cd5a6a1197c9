"""Transports of requests: httpx clients and transports, the choice between them, and what their failures prove."""
