"""Opening a store by its URL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otel_agenttrace.errors import ConfigError, StoreError
from otel_agenttrace.stores.open import open_store
from otel_agenttrace.testing.spans import TRACE_ID, make_span


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths and the home directory are of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite", "home/.agenttrace/traces.db"),
        ("sqlite:", "home/.agenttrace/traces.db"),
        ("auto", "home/.agenttrace/traces.db"),
        (None, "home/.agenttrace/traces.db"),
        ("sqlite:///relative.db", "relative.db"),
        ("sqlite:///some/folder/of/my.own", "some/folder/of/my.own"),
        ("sqlite:///~/x.db", "home/x.db"),
        ("traces.db", "traces.db"),
        ("./a/b.sqlite", "a/b.sqlite"),
        ("~/b.sqlite3", "home/b.sqlite3"),
        ("  traces.db ", "traces.db"),
        ("with space and ü.db", "with space and ü.db"),
    ],
)
def test_every_form_of_a_file(url: str | None, path: str, tmp_path: Path) -> None:
    """The file is created where the URL says, with its folders, and is the same at the next opening."""
    with open_store(url) as store:
        store.write_spans([make_span()])

    assert (tmp_path / path).is_file()
    with open_store(url, read_only=True) as store:
        assert store.spans.get_trace(TRACE_ID).spans == (make_span(),)
        assert store.url == f"sqlite:///{tmp_path / path}"


def test_an_absolute_path(tmp_path: Path) -> None:
    """Four slashes, as everywhere, or the path alone."""
    with open_store(f"sqlite:///{tmp_path}/traces.db") as store:
        store.write_spans([make_span()])

    with open_store(str(tmp_path / "traces.db"), read_only=True) as store:
        assert store.spans.info().spans == 1


@pytest.mark.parametrize("url", ["memory", "memory:"])
def test_memory_is_new_each_time(url: str) -> None:
    """What one store in memory holds, another does not."""
    with open_store(url) as store, open_store(url) as other:
        store.write_spans([make_span()])

        assert other.spans.info().spans == 0
        assert store.url == "memory:"


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a URL, or with `auto`, `AGENTTRACE_STORE` counts; an empty one is none."""
    monkeypatch.setenv("AGENTTRACE_STORE", "sqlite:///mine.db")
    for url in (None, "auto"):
        with open_store(url) as store:
            assert store.url.endswith("/mine.db")

    monkeypatch.setenv("AGENTTRACE_STORE", "")
    with open_store() as store:
        assert store.url == f"sqlite:///{tmp_path}/home/.agenttrace/traces.db"


@pytest.mark.parametrize("url", ["postgresql://user:secret@host/db", "postgres://host", "cosmos:"])
def test_stores_of_later_versions_say_so(url: str) -> None:
    """A store that is not here yet is named, what there is too, and no password is repeated."""
    with pytest.raises(ConfigError, match="not in this version; accepted are memory, sqlite") as raised:
        open_store(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "traces",
        "sqlite://host/traces.db",
        "sqlite:///",
        "sqlite:traces.db",
        "sqlite:///:memory:",
        "sqlite:///x.db?mode=ro",
        "sqlite:///a\0b.db",
        "mysql://user:secret@host/db",
        "http://host/x.db",
        "/var",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    """The error names the setting and what it accepts, and creates nothing."""
    with pytest.raises(ConfigError, match=r"^--store: .*accepted are memory, sqlite") as raised:
        open_store(url, setting="--store")
    assert "secret" not in str(raised.value)
    assert os.listdir() in ([], ["home"])  # noqa: PTH208


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    """A folder of that name is said to be one."""
    (tmp_path / "folder.db").mkdir()

    with pytest.raises(ConfigError, match="is a directory"):
        open_store("folder.db")


def test_a_wrong_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who did not type the URL is told where it comes from."""
    monkeypatch.setenv("AGENTTRACE_STORE", "mysql://x")

    with pytest.raises(ConfigError, match=r"^AGENTTRACE_STORE: "):
        open_store()


def test_reading_creates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named file has to be there; the default one reads as empty, as nothing has been recorded yet."""
    with pytest.raises(ConfigError, match=f"--store: there is no file {tmp_path}/typo.db"):
        open_store("typo.db", read_only=True, setting="--store")
    monkeypatch.setenv("AGENTTRACE_STORE", "typo.db")
    with pytest.raises(ConfigError, match="AGENTTRACE_STORE: there is no file"):
        open_store(read_only=True)

    monkeypatch.delenv("AGENTTRACE_STORE")
    with open_store(read_only=True) as store:
        assert store.get_sessions() == []
        assert store.url == f"sqlite:///{tmp_path}/home/.agenttrace/traces.db"
    assert os.listdir() in ([], ["home"])  # noqa: PTH208
    assert not (tmp_path / "home" / ".agenttrace").exists()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """It is left as it is."""
    (tmp_path / "notes.db").write_text("dear diary, " * 1000)

    with pytest.raises(StoreError, match=r"notes\.db"):
        open_store("notes.db")
    assert (tmp_path / "notes.db").read_text() == "dear diary, " * 1000


def test_nobody_knows_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container without users the error says what to do."""

    def unknown(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)

    with pytest.raises(ConfigError, match="does not start with ~"):
        open_store("~/x.db")
