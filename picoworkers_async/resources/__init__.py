"""The groups of methods: `pico.jobs`, `pico.users`, `pico.lists`, `pico.wallet`. Each method is one endpoint."""

from .jobs import Jobs
from .lists import Lists
from .users import Users
from .wallet import Wallet

__all__ = ["Jobs", "Lists", "Users", "Wallet"]
