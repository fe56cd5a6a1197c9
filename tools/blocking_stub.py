"""Writes `picoworkers_async/blocking/__init__.pyi`, which type checkers read, from the asynchronous classes.

`python tools/blocking_stub.py`, whenever a signature or a docstring of theirs has changed; a test tells.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from picoworkers_async import blocking
from picoworkers_async.blocking.making import NAMES

STUB = Path(blocking.__file__).with_suffix(".pyi")
_ITERATORS = {"AsyncIterator": "Iterator"}
_DUNDERS = {"__init__", "__enter__", "__exit__", "__iter__", "__next__"}
_HEADER = "# Written by tools/blocking_stub.py from the asynchronous classes: change those, and run it again.\n"


def stub() -> str:
    """The text of the stub, not formatted."""
    imports: dict[str, str] = {}
    classes = [_class(source, kind, imports) for source, kind in blocking._made.items()]
    tree = ast.Module([*classes], [])
    made = {node.name for node in classes}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - made
    lines = sorted(imports[name] for name in names if name in imports)
    exported = f"__all__ = {blocking.__all__!r}"
    doc = f'"""{blocking.__doc__}"""'
    return "\n".join([_HEADER, doc, *lines, exported, ast.unparse(ast.fix_missing_locations(tree)), ""])


def _class(source: type, kind: type, imports: dict[str, str]) -> ast.ClassDef:
    module = importlib.import_module(source.__module__)
    tree = ast.parse(inspect.getsource(module))
    imports.update(_importable(tree, module))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == source.__name__)
    body: list[ast.stmt] = [_doc(kind.__doc__)]
    for member in found.body:
        body += _member(member, kind)
    bases = [base for base in found.bases if ast.unparse(base).startswith("Generic")]
    return ast.ClassDef(kind.__name__, bases, [], body, [])


def _member(member: ast.stmt, kind: type) -> Iterator[ast.stmt]:
    if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
        if not member.target.id.startswith("_"):
            yield ast.AnnAssign(member.target, member.annotation, None, 1)
    elif isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
        name = NAMES.get(member.name, member.name)
        # What no user makes has no constructor to be shown.
        hidden = name == "__init__" and kind is not blocking.Picoworkers
        if (name.startswith("_") and name not in _DUNDERS) or hidden:
            return
        overload = any(ast.unparse(one) == "overload" for one in member.decorator_list)
        made = vars(kind)[name] if name in vars(kind) else getattr(kind, name)
        function = ast.FunctionDef(
            name=name,
            args=member.args,
            body=[ast.Expr(ast.Constant(...))] if overload else [_doc(made.__doc__), ast.Expr(ast.Constant(...))],
            decorator_list=member.decorator_list,
            returns=_returned(member.returns, name),
            type_params=[],
        )
        if not overload and _has_overloads(kind, name):
            return
        yield function


def _has_overloads(kind: type, name: str) -> bool:
    return name in {"review", "review_all"} and kind is blocking.Picoworkers
