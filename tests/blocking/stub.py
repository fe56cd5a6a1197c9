"""Writes `picoworkers_async/blocking/__init__.pyi`, which type checkers read, from the asynchronous classes.

`python -m tests.blocking.stub`, whenever a signature or a docstring of theirs has changed; a test tells.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

STUB = Path(__file__).parents[2] / "picoworkers_async" / "blocking" / "__init__.pyi"
_DUNDERS = {"__init__", "__enter__", "__exit__", "__iter__", "__next__"}
_HEADER = "# Written by tests/blocking/stub.py from the asynchronous classes: change those, and run it again.\n"


def stub() -> str:
    """The text of the stub, not formatted."""
    from picoworkers_async import blocking

    imports: dict[str, str] = {"Iterator": "from collections.abc import Iterator"}
    classes = [_class(source, kind, imports) for source, kind in blocking._made.items()]
    tree = ast.fix_missing_locations(ast.Module([*classes], []))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {node.name for node in classes}
    lines = sorted(imports[name] for name in names if name in imports)
    exported = f"__all__ = {blocking.__all__!r}"
    return "\n".join([_HEADER, f'"""{blocking.__doc__}"""', *lines, exported, ast.unparse(tree), ""])


def _class(source: type, kind: type, imports: dict[str, str]) -> ast.ClassDef:
    tree = ast.parse(inspect.getsource(importlib.import_module(source.__module__)))
    imports.update(_importable(tree, source.__module__))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == source.__name__)
    body: list[ast.stmt] = [_doc(kind.__doc__, 1)]
    for member in found.body:
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
            if not member.target.id.startswith("_"):
                body.append(ast.AnnAssign(member.target, member.annotation, None, 1))
        elif isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            body += _functions(member, kind, body, imports)
    body += _own_functions(kind, imports)
    bases = [base for base in found.bases if ast.unparse(base).startswith("Generic")]
    return ast.ClassDef(kind.__name__, bases, [], body, [], type_params=[])


def _own_functions(kind: type, imports: dict[str, str]) -> Iterator[ast.FunctionDef]:
    """What the blocking client has, and the asynchronous one has not."""
    from picoworkers_async.blocking.making import Client

    if not issubclass(kind, Client):
        return
    tree = ast.parse(inspect.getsource(importlib.import_module(Client.__module__)))
    imports.update(_importable(tree, Client.__module__))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Client.__name__)
    for member in found.body:
        if (
            isinstance(member, ast.FunctionDef)
            and not member.name.startswith("_")
            and member.name not in vars(kind)
        ):
            body: list[ast.stmt] = [_doc(getattr(kind, member.name).__doc__, 2)]
            yield ast.FunctionDef(member.name, member.args, body, [], member.returns, type_params=[])


def _functions(
    member: ast.FunctionDef | ast.AsyncFunctionDef, kind: type, before: list[ast.stmt], imports: dict[str, str]
) -> Iterator[ast.FunctionDef]:
    """The function for this one; none for what is private, or implements what was overloaded."""
    from picoworkers_async.blocking.making import NAMES, Client

    name = NAMES.get(member.name, member.name)
    if name.startswith("_") and (name not in _DUNDERS or (name == "__init__" and not issubclass(kind, Client))):
        return
    overloaded = any(isinstance(one, ast.FunctionDef) and one.name == name for one in before)
    overload = any(ast.unparse(one) == "overload" for one in member.decorator_list)
    if overloaded and not overload:
        return
    doc = getattr(kind, name).__doc__
    body: list[ast.stmt] = [ast.Expr(ast.Constant(...))] if overloaded or not doc else [_doc(doc, 2)]
    for argument in member.args.kwonlyargs:
        if argument.arg == "changes" and argument.annotation is not None:
            # Read in a worker thread.
            imports["Iterable"] = "from collections.abc import Iterable"
            given = ast.unparse(argument.annotation)
            plain = given.partition(" | ")[0].replace("AsyncIterable", "Iterable")
            argument.annotation = ast.parse(f"{plain} | {given}", mode="eval").body
    returns = member.returns
    if returns is not None and name != "__enter__":
        for node in ast.walk(returns):
            if isinstance(node, ast.Name) and node.id == "AsyncIterator":
                node.id = "Iterator"
    if name == "__exit__" and not issubclass(kind, Client):
        returns = ast.Name("bool")
    yield ast.FunctionDef(name, member.args, body, member.decorator_list, returns, type_params=[])


def _doc(text: str | None, level: int) -> ast.Expr:
    lines = inspect.cleandoc(text or "")
    indented = textwrap.indent(lines, "    " * level).lstrip()
    if "\n" in indented:
        indented += "\n" + "    " * level
    return ast.Expr(ast.Constant(indented))


def _importable(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    """How to import each name that a module has at its top level, or only for type checkers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            origin = importlib.util.resolve_name(package, module.rpartition(".")[0])
            for alias in node.names:
                given = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                yield alias.asname or alias.name, f"from {_relative(origin)} import {given}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, f"import {alias.name}"
    for node in tree.body:
        for name in _defined(node):
            yield name, f"from {_relative(module)} import {name}"


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _relative(module: str) -> str:
    ours = "picoworkers_async."
    return f"..{module.removeprefix(ours)}" if module.startswith(ours) else module


def main() -> None:
    STUB.write_text(stub(), encoding="utf-8")
    for command in (["check", "--fix", "--select", "I", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(STUB)], check=True)


if __name__ == "__main__":
    sys.path.insert(0, str(STUB.parents[2]))
    main()
