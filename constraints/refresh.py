"""Looks up anew which releases are installed when this project is checked, and writes them beside this file.

`nox -s lock` runs it with an interpreter for each Python that is supported. `newest.txt` has the newest releases;
`oldest.txt` has the oldest that pyproject.toml allows of what the package itself needs, on the oldest Python.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
HEADER = "# Written by `nox -s lock`: what CI installs. What users need is in pyproject.toml.\n"

Pins = dict[str, str]
"""Versions by normalized name."""


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lower_bounds(project: Mapping) -> Pins:
    """The oldest version of each release that the package and its extras need."""
    extras = project["project"]["optional-dependencies"].values()
    requirements = [*project["project"]["dependencies"], *(one for extra in extras for one in extra)]
    return {normalized(name): version for name, version in map(bound, requirements) if version is not None}


def bound(requirement: str) -> tuple[str, str | None]:
    """The name, and the version after `>=`, if there is one."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    if name is None:
        raise ValueError(f"no requirement: {requirement!r}")
    version = re.search(r">=\s*([\w.]+)", requirement)
    return name[0], version[1] if version else None


def wanted(project: Mapping) -> list[str]:
    """All that a session installs: the package with all its extras, and every group."""
    extras = ",".join(project["project"]["optional-dependencies"])
    groups = project["dependency-groups"].values()
    return [f".[{extras}]", *(one for group in groups for one in group if isinstance(one, str))]


def resolve(python: str, requirements: Iterable[str], pins: Pins) -> Pins:
    """What pip would install for this Python; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(lines({python: pins}))
        options = ("--dry-run", "--ignore-installed", "--quiet", "-c", str(constraints), "--report", "-")
        command = [python, "-m", "pip", "install", *options, *requirements]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    found = {normalized(one["metadata"]["name"]): one["metadata"]["version"] for one in report["install"]}
    del found["picoworkers-async"]
    return found


def lines(resolved: Mapping[str, Pins]) -> str:
    """A constraints file from the pins of each Python: with a marker where they differ."""
    text = ""
    for name in sorted({name for pins in resolved.values() for name in pins}):
        versions = {python: pins[name] for python, pins in resolved.items() if name in pins}
        if len(set(versions.values())) == 1:
            text += f"{name}=={next(iter(versions.values()))}\n"
        else:
            for python, version in versions.items():
                text += f'{name}=={version} ; python_version == "{python}"\n'
    return text


def main(pythons: list[str]) -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    newest, oldest = {}, {}
    for python in pythons:
        ask = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run([python, "-c", ask], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        newest[version] = resolve(python, wanted(project), {})
        if not oldest:
            oldest[version] = resolve(python, wanted(project), lower_bounds(project))
    (HERE / "newest.txt").write_text(HEADER + lines(newest), encoding="utf-8")
    (HERE / "oldest.txt").write_text(HEADER + lines(oldest), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
