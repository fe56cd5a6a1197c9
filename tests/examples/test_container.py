"""examples/container: linted and held against the Compose Specification; building it takes a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from compose_spec import PyOptions

from .programs import EXAMPLES

FOLDER = EXAMPLES / "container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    hadolint = shutil.which("hadolint", path=beside_python)
    assert hadolint is not None
    done = subprocess.run([hadolint, "--strict-labels", FOLDER / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_what_runs_is_nobody_in_particular_and_says_how_it_is() -> None:
    *_, bot, web = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    for stage in (bot, web):
        assert stage.startswith("base AS")
        assert "HEALTHCHECK" in stage
    assert re.search(r"^USER 10001$", DOCKERFILE, re.MULTILINE)


def test_what_the_dockerfile_copies_is_there() -> None:
    for source in re.findall(r"^COPY (examples\S+(?: examples\S+)*) ", DOCKERFILE, re.MULTILINE):
        assert all((EXAMPLES.parent / name).is_file() for name in source.split())


def services_of(name: str) -> dict[str, dict[str, Any]]:
    """The services of a compose file that is one."""
    options = PyOptions()
    options.apply_merge = True
    compose = options.from_yaml((FOLDER / name).read_text(encoding="utf-8"))
    compose.validate()
    services: dict[str, dict[str, Any]] = compose.to_dict()["services"]
    return services


def test_the_compose_file_is_one_and_its_targets_and_volumes_are_there() -> None:
    services = services_of("compose.yml")
    assert set(services) == {"bot", "web", "valkey"}
    targets = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        if "build" in service:
            assert service["build"]["target"] in targets
            assert service["environment"]["PACER_URL"] == "redis://valkey:6379/0"
            assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_with_a_sandbox_the_programs_reach_it_by_its_name_and_all_else_stays_as_it_is() -> None:
    services, real = services_of("compose.sandbox.yml"), services_of("compose.yml")
    assert {"--host", "0.0.0.0", "8022"} <= set(services.pop("sandbox")["command"])
    for name, changed in services.items():
        assert set(changed) == {"environment"}
        assert changed["environment"].items() >= real[name]["environment"].items()
        assert changed["environment"]["PICOWORKERS_BASE_URL"] == "http://sandbox:8022/api/"
        assert changed["environment"]["PLAIN_HTTP"] == "sandbox"


def test_what_the_image_is_made_of_is_let_into_its_context() -> None:
    let_in = re.findall(r"^!(\S+)", (FOLDER / "Dockerfile.dockerignore").read_text("utf-8"), re.MULTILINE)
    assert all((EXAMPLES.parent / name).exists() for name in let_in)
    assert {"picoworkers_async", "pyproject.toml", "README.md", "LICENSE", "examples/bot"} <= set(let_in)
