"""What importing costs, and which way imports point."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import otel_agenttrace

PACKAGE = Path(otel_agenttrace.__file__).parent

HEAVY = {
    "click",
    "genai_prices",
    "google.protobuf",
    "grpc",
    "httpx",
    "jsonschema",
    "opentelemetry.sdk",
    "pydantic",
    "re2",
    "sqlite3",
    "yaml",
}

LAYERS = (
    ("contract",),
    ("model", "grounding"),
    ("pipeline",),
    ("spool", "stores.api"),
    ("instrument", "otlp", "processors", "exporters", "stores", "views"),
    ("workflow",),
    ("cli", "demo"),
)
"""Each may import from its own row and those above it: design, "Imports point one way"."""

ANYWHERE = {"", "errors", "forks", "losses", "config", "private", "switches"}
"""Modules that belong to no layer; any may import them."""

ON_TOP = {
    "autoinstrument",
    "configure",
    "delivering",
    "driving",
    "entrypoints",
    "flight",
    "launcher",
    "ledger",
    "notice",
    "provider",
    "recorder",
    "startup",
    "targets",
    "together",
    "tracing",
    "verdicts",
}
"""The one call and what it puts together: imported by nothing below it."""


def _modules_after(code: str) -> set[str]:
    program = f"import sys; {code}; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import otel_agenttrace` loads no driver, model, wire or command-line library, and not the SDK."""
    assert _modules_after("import otel_agenttrace") & HEAVY == set()


def test_the_helpers_load_no_more_than_they_need() -> None:
    """Agent code that only marks its functions does not pay for stores and views."""
    loaded = _modules_after("from otel_agenttrace import TraceContext, agent_event, traced_span")

    assert loaded & (HEAVY - {"opentelemetry.sdk"}) == set()


@pytest.mark.parametrize("name", otel_agenttrace.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """What `__all__` lists can be imported, and is found again by `dir`."""
    assert getattr(otel_agenttrace, name) is not None
    assert name in dir(otel_agenttrace)


def test_type_checkers_see_what_is_imported() -> None:
    """The names for type checkers, the table of modules and `__all__` say the same."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    seen = {
        alias.name: str(node.module).removeprefix("otel_agenttrace.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("otel_agenttrace.")
        for alias in node.names
    }

    assert seen == otel_agenttrace._MODULES
    assert sorted([*seen, "__version__"]) == sorted(otel_agenttrace.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="module 'otel_agenttrace' has no attribute 'nosuch'"):
        _ = otel_agenttrace.nosuch


def _rank(module: str) -> int | None:
    """The row of a module in LAYERS, the longest name first; None for what belongs to no layer."""
    rows = [(name, row) for row, names in enumerate(LAYERS) for name in names]
    fitting = [(len(name), row) for name, row in rows if module == name or module.startswith(name + ".")]
    return max(fitting)[1] if fitting else None


def _imports(path: Path) -> set[str]:
    """The modules of this package that a file imports when it runs, without the package's name."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "otel_agenttrace":
            found.add(str(node.module).partition(".")[2])
        waiting += ast.iter_child_nodes(node)
    return found


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=_module)
def test_imports_point_one_way(path: Path) -> None:
    """A module imports its own layer and what lies below, never what is built on it."""
    module = _module(path)
    rank = _rank(module)
    if rank is None:
        assert module.split(".")[0] in ANYWHERE | ON_TOP | {"testing", "__main__"}, f"{module} is in no layer"
        return
    for imported in _imports(path):
        other = _rank(imported)
        below = imported in ANYWHERE or (other is not None and other <= rank)
        assert below or rank == len(LAYERS) - 1, f"{module} imports {imported}"
