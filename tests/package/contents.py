"""Looks into a folder that has an sdist, the wheel built from it, and under `again/` a wheel built from the tree.

`nox -s package` runs it; what is wrong is printed, all of it, and the exit code is 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "picoworkers_async/"


def of_checkout() -> set[str]:
    """The files of this checkout, those not yet committed too; of a copy without git, all that do not hide."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode == 0:
        return {name for name in told.stdout.splitlines() if Path(name).is_file()}
    hidden = re.compile(r"(^|/)(\.|__pycache__/)")
    found = (one.as_posix() for one in Path().rglob("*") if one.is_file())
    return {name for name in found if not hidden.search(name)}


def wrong(folder: Path) -> Iterator[str]:
    (sdist,), (wheel,), (again,) = (list(folder.glob(one)) for one in ("*.tar.gz", "*.whl", "again/*.whl"))
    if wheel.read_bytes() != again.read_bytes():
        yield "the wheel of the sdist is not the wheel of the tree"
    tree = of_checkout()
    needed = {one for one in tree if one.startswith(PACKAGE)}
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
        licenses = [archive.read(one) for one in in_wheel if one.endswith("/licenses/LICENSE")]
    if licenses != [Path("LICENSE").read_bytes()]:
        yield "the wheel's license is not LICENSE"
    for name in sorted(needed - in_wheel):
        yield f"the wheel lacks {name}"
    for name in sorted(in_wheel - needed):
        if ".dist-info/" not in name:
            yield f"the wheel has {name}, which is not of the package"
    for name in ("py.typed", "blocking/__init__.pyi", "console/static/console.js"):
        if PACKAGE + name not in in_wheel:
            yield f"the wheel lacks {name}"
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    # How this project's own checks are started concerns nobody who has the sdist.
    for name in sorted(one for one in tree - in_sdist if not one.startswith(".ci/")):
        yield f"the sdist lacks {name}"
    for name in sorted(in_sdist - tree - {"PKG-INFO", ".gitignore", ".pre-commit-config.yaml"}):
        yield f"the sdist has {name}, which the checkout does not"


if __name__ == "__main__":
    found = list(wrong(Path(sys.argv[1])))
    print("\n".join(found) or "wheel and sdist have what they should have")
    sys.exit(bool(found))
