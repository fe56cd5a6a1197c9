"""Looks into a folder that has an sdist, the wheel built from it, and under `again/` a wheel built from the tree.

`nox -s package` runs it; what is wrong is printed, all of it, and the exit code is 1.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "picoworkers_async/"


def wrong(folder: Path) -> Iterator[str]:
    (sdist,), (wheel,), (again,) = (list(folder.glob(one)) for one in ("*.tar.gz", "*.whl", "again/*.whl"))
    if wheel.read_bytes() != again.read_bytes():
        yield "the wheel of the sdist is not the wheel of the tree"
    tree = set(subprocess.run(["git", "ls-files"], capture_output=True, check=True, text=True).stdout.split("\n"))
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
    # How this project's own checks are started, and what git leaves out, concern nobody who has the sdist.
    for name in sorted(one for one in tree - in_sdist if one and not one.startswith(".ci/")):
        yield f"the sdist lacks {name}"
    for name in sorted(in_sdist - tree - {"PKG-INFO"}):
        yield f"the sdist has {name}, which git does not"


if __name__ == "__main__":
    found = list(wrong(Path(sys.argv[1])))
    print("\n".join(found) or "wheel and sdist have what they should have")
    sys.exit(bool(found))
