"""Checks of a client's arguments: pure functions, which find every problem at once."""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection, Iterable, Mapping

import attrs

from .editions import EDITIONS, Edition, edition_named
from .problems import Problem, ProblemCode
from .retry import RetryPolicy
from .settings import (
    address_problems,
    host_problems,
    kind_problems,
    seconds_problems,
    size_problems,
    timeout_problems,
    wait_problems,
)
from .throttle import Throttle
from .transport.choice import NAMES, VARIABLE, environment_name, name_problems, way_problems
from .transport.clients import package_of_transport
from .transport.shared import SharedTransport


def client_problems(
    *,
    edition: object,
    base_url: str | None,
    http_client: object,
    transport: object,
    throttle: object,
    retry: object,
    timeout: object,
    settle_after: object,
    max_wait: object,
    max_response_bytes: object,
    insecure_http_hosts: Collection[str],
    on_event: object,
) -> list[Problem]:
    """Everything that is wrong with the arguments of `AsyncPicoworkers`, except its credentials."""
    service = edition_named(edition)
    problems = [] if service else [_no_edition("edition", edition, ", or an Edition, such as SPROUTGIGS")]
    hosts = host_problems(insecure_http_hosts)
    url = address_of(service, base_url)
    # Whether the address is among hosts that are wrong themselves cannot be told, and would be told twice.
    address = [] if url is None else address_problems(url, None if hosts else insecure_http_hosts)
    problems += address + hosts
    problems += carrier_problems(http_client, transport, None if address else url)
    problems += kind_problems(throttle=(throttle, Throttle), retry=(retry, RetryPolicy))
    problems += timeout_problems(timeout)
    problems += seconds_problems("settle_after", settle_after)
    problems += wait_problems(max_wait)
    problems += size_problems("max_response_bytes", max_response_bytes)
    if on_event is not None and (not callable(on_event) or inspect.iscoroutinefunction(on_event)):
        problems.append(Problem("on_event", on_event, "a plain function of one event", ProblemCode.TYPE))
    return problems


def address_of(service: Edition | None, base_url: str | None) -> str | None:
    """Where requests go: to `base_url`, or else to the service's own address; None if there is neither."""
    if base_url is not None:
        return base_url
    return None if service is None else service.base_url


def carrier_problems(http_client: object, transport: object, base_url: str | None) -> list[Problem]:
    """What is wrong with the transport for requests, to an address if it is known.

    If neither is given, the environment is checked.
    """
    problems = []
    if http_client is not None:
        if not inspect.iscoroutinefunction(getattr(http_client, "send", None)):
            limit = "an httpx.AsyncClient (or one of httpx2)"
            problems.append(Problem("http_client", http_client, limit, ProblemCode.TYPE))
        if transport is not None:
            limit = "either http_client or transport, not both"
            problems.append(Problem("transport", transport, limit, ProblemCode.CONFLICT))
    elif transport is None:
        if (name := environment_name()) is not None:
            problems += _named(VARIABLE, name, base_url)
        elif base_url is not None:
            problems += way_problems("transport", None, base_url)
    elif isinstance(transport, str):
        problems += _named("transport", transport, base_url)
    elif isinstance(transport, SharedTransport):
        problems += [] if base_url is None else transport.problems(base_url)
    if not isinstance(transport, str | SharedTransport | None) and package_of_transport(transport) is None:
        limit = f"{', '.join(map(repr, NAMES))}, a SharedTransport, or an AsyncBaseTransport of httpx or httpx2"
        problems.append(Problem("transport", transport, limit, ProblemCode.TYPE))
    return problems


def environment_problems(problems: Iterable[Problem], variables: Mapping[str, str]) -> list[Problem]:
    """The same problems, for arguments from `variables` of the environment, by the variables' names."""
    return [
        problem if (name := variables.get(problem.field)) is None else _of_variable(problem, name)
        for problem in problems
    ]


def _of_variable(problem: Problem, name: str) -> Problem:
    if problem.field == "edition":
        return _no_edition(name, problem.value)
    if problem.code is not ProblemCode.REQUIRED:
        return attrs.evolve(problem, path=name)
    if os.environ.get(name) is None:
        return Problem(name, None, "set this environment variable", ProblemCode.REQUIRED)
    limit = "this environment variable is set, but empty: give it a value"
    return Problem(name, "", limit, ProblemCode.REQUIRED)


def _named(field: str, name: str, base_url: str | None) -> list[Problem]:
    problems = name_problems(field, name)
    return problems if base_url is None or problems else way_problems(field, name, base_url)


def _no_edition(field: str, edition: object, or_else: str = "") -> Problem:
    return Problem(field, edition, f"one of {', '.join(EDITIONS)}{or_else}", ProblemCode.CHOICE)
