"""The sandbox's files stand on each other in one order, for type checking too."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import picoworkers_async.sandbox

FOLDER = Path(picoworkers_async.sandbox.__file__).parent
ROAD = ["account", "task_handlers", "handlers", "dispatch", "delivery", "app", "serving", "sandbox", "__main__"]


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}
    return found


def test_no_file_imports_one_that_stands_on_it() -> None:
    files = {path.stem: path for path in FOLDER.glob("*.py") if path.stem != "__init__"}
    graph = {name: imports_of(path) & set(files) for name, path in files.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert sorted(ROAD, key=order.index) == ROAD


def test_nothing_is_imported_for_type_checking_only() -> None:
    for path in FOLDER.glob("*.py"):
        assert "TYPE_CHECKING" not in path.read_text(), path.name
