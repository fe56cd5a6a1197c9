"""What carries requests: httpx clients and transports, which one is used, and what their failures prove."""
