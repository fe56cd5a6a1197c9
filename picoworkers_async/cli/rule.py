"""Find the function of `review MODULE:NAME`, and say what is wrong if it cannot be used."""

from __future__ import annotations

import importlib
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from ..rating.asking import AnyDecide, decide_problems
from .exits import CommandError
from .wording import plain

_FORM = "name a function as MODULE:NAME, such as rules:decide for decide() of rules.py"


def find_rule(named: str, *, threads: bool = False) -> AnyDecide:
    """The function of this name; its module is searched for in the current folder first.

    Raises `CommandError` with what to do: for another form, a module that is missing or cannot be imported, a
    name that it does not have, and what cannot be asked about a task.
    """
    module_name, colon, name = named.partition(":")
    if not colon or not module_name or not name:
        raise CommandError(f"{named!r}: {_FORM}")
    if "/" in module_name or module_name.endswith(".py"):
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise CommandError(f"{named!r}: {_FORM}; here {dotted}:{name}, from the folder that it begins in")
    found: Any = _imported(module_name)
    for part in name.split("."):
        found = _attribute(found, part, module_name)
    problems = decide_problems(found, threads=threads)
    if problems:
        raise CommandError(*(f"{named}: {plain(problem.limit)}" for problem in problems))
    rule: AnyDecide = found
    return rule


def _imported(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            what = f"there is no module {error.name}"
            raise CommandError(f"{what} in {folder}, nor among what is installed") from None
        raise CommandError(f"{name} cannot be imported, since it needs {error.name}: install it") from None
    except (Exception, SystemExit) as error:
        raise CommandError(f"{name} cannot be imported: {type(error).__name__}: {error}{_place(error)}") from error


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _attribute(of: Any, name: str, module: str) -> Any:
    try:
        return getattr(of, name)
    except AttributeError:
        names = [one for one in dir(of) if not one.startswith("_")]
        near = get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise CommandError(f"{module} has no {name}{hint}") from None
