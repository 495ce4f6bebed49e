"""The project's own files: what is published, what is in it, and the configurations beside it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from configparser import ConfigParser
from email import message_from_bytes
from importlib.metadata import Distribution, EntryPoint, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from packaging.requirements import Requirement

import otel_agenttrace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import Message

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "otel_agenttrace"
COMPOSE = ROOT / "docker-compose.yml"
COLLECTORS = [path for path in sorted((ROOT / "collector-config").glob("*.yaml")) if path.name != "builder.yaml"]
NAME = "otel-agenttrace"

PROGRAM = """
import otel_agenttrace
from otel_agenttrace import TraceContext, configure_tracing

with configure_tracing("small"), TraceContext("run"):
    print(otel_agenttrace.__file__)

try:
    import openai
except ImportError:
    pass
else:
    raise SystemExit("this environment is to have no extras")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what is in the folder now."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_the_metadata_say_what_it_is(metadata: Message) -> None:
    """Name, licence, README and the Pythons that it runs on are published."""
    assert metadata["Name"] == NAME
    assert metadata["Version"] == otel_agenttrace.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == ">=3.10"
    assert str(metadata.get_payload()).startswith("# otel-agenttrace\n")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    """Changes since the last release stand under Unreleased, which is not empty."""
    unreleased = (
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("## [Unreleased]\n")[2].split("\n## [")[0]
    )

    assert re.search("^- ", unreleased, re.MULTILINE)


def test_all_brings_every_other_extra(metadata: Message) -> None:
    """`pip install otel-agenttrace[all]` leaves nothing out."""
    extras = metadata.get_all("Provides-Extra") or []
    brought = {extra: _brought_by(extra, metadata) for extra in extras}
    others = [brought[extra] for extra in extras if extra != "all"]

    assert others
    assert all(others)
    assert brought["all"] == set().union(*others)


def test_the_wheel_holds_the_package_and_its_data(wheel: Path) -> None:
    """Every file of the package is in the wheel, code and data alike, and nothing else is."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.is_file()}
    source = {name for name in files if "__pycache__" not in name}

    assert packed == source
    kinds = {Path(name).suffix for name in packed} | {Path(name).name for name in packed}
    assert kinds >= {".py", ".yaml", ".json", ".css", ".js", "py.typed"}


def test_the_wheel_works_without_extras(wheel: Path, tmp_path: Path) -> None:
    """With what the core depends on and nothing else installed, a program is recorded, and commands read it."""
    scripts = _core_environment(tmp_path / "venv")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet"]
    _run([*pip, "--no-deps", "--no-index", str(wheel)], tmp_path)
    program = tmp_path / "agent.py"
    program.write_text(PROGRAM, encoding="utf-8")

    package = _run([scripts / "python", program], tmp_path)
    listed = _run([scripts / "agenttrace", "trace", "list", "--json"], tmp_path)
    _run([scripts / "otel-agenttrace", "demo", "--store", "memory"], tmp_path)

    assert Path(package.strip()).is_relative_to(tmp_path)
    assert [trace["root_name"] for trace in json.loads(listed)] == ["run"]


def test_entry_points_are_there(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the wheel offers to OpenTelemetry and the shell can be loaded."""
    monkeypatch.setenv("OTEL_PYTHON_CONFIGURATOR", "agenttrace")  # loading one of them sets it, which is to end here
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        offered = ConfigParser()
        offered.read_string(archive.read(name).decode())
    points = [EntryPoint(*item, group) for group in offered.sections() for item in offered.items(group)]

    assert {point.name for point in points if point.group == "console_scripts"} == {"agenttrace", "otel-agenttrace"}
    for point in points:
        assert point.load()


@pytest.mark.parametrize("name", ["demo", "test", "lint", "types", "bench", "docs"])
def test_make_has_the_target(name: str) -> None:
    """What the documentation has people make can be made, and `make` alone lists it."""
    assert re.search(f"^{name}:.* ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_ci_runs_what_the_readme_says() -> None:
    """CI starts with the command that the README names, and can be started itself."""
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text(encoding="utf-8")


def test_compose_mounts_files_that_are_there() -> None:
    """Each service has an image of a fixed version, listens on this machine alone, and mounts files of the project."""
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]

    assert set(services) == {"collector", "jaeger"}
    for service in services.values():
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+", service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for volume in service["volumes"]:
            source, target, *_ = volume.split(":")
            assert (ROOT / source).is_file()
            assert f"--config={target}" in service["command"]
        assert set(service.get("depends_on", ())) <= set(services)


def test_there_are_collector_configurations() -> None:
    """The files that are checked below exist."""
    assert COLLECTORS


@pytest.mark.parametrize("path", COLLECTORS, ids=lambda path: path.name)
def test_a_collector_uses_what_it_declares(path: Path) -> None:
    """Each pipeline consists of components that the file declares, and each declared component is used."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    service = config["service"]

    assert service["pipelines"]
    assert sorted(service.get("extensions", ())) == sorted(config.get("extensions", ()))
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in service["pipelines"].values() for name in pipeline.get(kind, ())}
        assert used == set(config.get(kind) or ())


def test_the_collector_sends_to_a_service_of_compose() -> None:
    """Hosts that the Collector exports to are services beside it."""
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    config = yaml.safe_load((ROOT / "collector-config" / "collector-to-jaeger.yaml").read_text(encoding="utf-8"))

    hosts = {exporter["endpoint"].partition(":")[0] for exporter in config["exporters"].values()}
    assert hosts
    assert hosts <= set(services)


def _brought_by(extra: str, metadata: Message) -> set[str]:
    needed = map(Requirement, metadata.get_all("Requires-Dist") or ())
    return {f"{item.name}{item.specifier}" for item in needed if item.marker and item.marker.evaluate({"extra": extra})}


def _core_environment(folder: Path) -> Path:
    """A virtual environment that has the core's dependencies, linked from this one, and return its scripts' folder."""
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for installed in _closure(Requirement(NAME)):
        if installed.name != NAME:
            _link(installed, site)
    return folder / "bin"


def _closure(requirement: Requirement) -> list[Distribution]:
    """The distributions that a requirement brings, itself included."""
    found: dict[tuple[str, frozenset[str]], Distribution] = {}
    waiting = [requirement]
    while waiting:
        wanted = waiting.pop()
        key = wanted.name.lower(), frozenset(wanted.extras)
        if key not in found:
            found[key] = distribution(wanted.name)
            below = map(Requirement, found[key].requires or ())
            waiting += [needed for needed in below if _applies(needed, wanted.extras)]
    return list(found.values())


def _applies(needed: Requirement, extras: set[str]) -> bool:
    return needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _link(installed: Distribution, site: Path) -> None:
    for file in installed.files or ():
        target = site / file
        if ".." not in file.parts and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(str(installed.locate_file(file))).resolve())


def _run(command: Sequence[str | Path], folder: Path) -> str:
    """What a command prints, run in a folder that is its home, too."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"HOME": str(folder), "AGENTTRACE_QUIET": "1"}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr
    return ended.stdout
