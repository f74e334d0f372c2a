"""What holds for every test: its own home, the same examples in every run, and no import of what is no test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time: a failure is one for everybody, and not only now and then. Looking for new examples is
# the business of `make fuzz`. No deadline, for a busy machine is no bug.
settings.register_profile("same-each-time", derandomize=True, database=None, deadline=None)
settings.load_profile("same-each-time")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave alone the programs beside the tests: looking for doctests would import, and so run, them."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith("test_"):
        return collection_path.name != "conftest.py"
    return None


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test, and what it starts, a home of its own, so that no test reads or writes the user's files."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The directory of this checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def clients_directory(checkout: Path) -> Path:
    """Where `make clients` put the environments of the clients that the tests use."""
    directory = checkout / ".clients"
    assert directory.is_dir(), "the clients are not installed; run: make clients"
    return directory


@pytest.fixture(scope="session")
def inspector_command(clients_directory: Path) -> list[str]:
    """The official inspector's command line, on the Node that it wants."""
    program = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    return [str(clients_directory / "node" / "bin" / "node"), str(clients_directory / "inspector" / program), "--cli"]
