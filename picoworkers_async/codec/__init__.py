"""JSON to models and back. The API's own names are only here."""

from .json import HugeNumber, ShapeError, encode, loads, printable
from .responses import (
    is_unauthorized,
    plain_ack,
    read_ack,
    read_balances,
    read_categories,
    read_job,
    read_jobs_page,
    read_lists,
    read_posted_job,
    read_predicted_position,
    read_rating_acks,
    read_tasks_page,
    read_zones,
    refusal,
    says_ok,
)
from .writing import encode_rating, write_draft, write_rating, write_ratings

__all__ = [
    "HugeNumber",
    "ShapeError",
    "encode",
    "encode_rating",
    "is_unauthorized",
    "loads",
    "plain_ack",
    "printable",
    "read_ack",
    "read_balances",
    "read_categories",
    "read_job",
    "read_jobs_page",
    "read_lists",
    "read_posted_job",
    "read_predicted_position",
    "read_rating_acks",
    "read_tasks_page",
    "read_zones",
    "refusal",
    "says_ok",
    "write_draft",
    "write_rating",
    "write_ratings",
]
