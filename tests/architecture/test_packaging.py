"""The package as it is published, and the locks."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

import mcp_server

# Put together, so that this file does not find itself. Any mirror will do, so none is named.
REGISTRIES = re.compile("|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.", "deb" + r"\.debian")))
OWN = {"site", "dist", "build", "node_modules", "__pycache__"}


@pytest.fixture(scope="module")
def project(checkout: Path) -> dict[str, object]:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locks(checkout: Path) -> list[Path]:
    return sorted((checkout / "requirements").rglob("*.txt"))


def test_the_version_is_one(project: dict[str, object]) -> None:
    assert project["version"] == mcp_server.__version__


def test_the_extras_are_those_of_the_architecture(project: dict[str, dict[str, object]]) -> None:
    assert set(project["optional-dependencies"]) == {
        "all", "cli", "client", "dbus", "dbus-next", "http", "http-client", "postgres", "redis", "s3", "telemetry",
    }  # fmt: skip


def test_the_core_asks_for_four_packages(project: dict[str, list[str]]) -> None:
    names = {re.split(r"[^a-z-]", wish)[0] for wish in project["dependencies"]}
    assert names == {"cryptography", "jsonschema-rs", "pydantic", "pyjwt"}


def test_every_locked_package_has_a_version_and_hashes(checkout: Path) -> None:
    for lock in locks(checkout):
        entries = re.split(r"\n(?=[a-z0-9])", lock.read_text(encoding="utf-8").strip())
        loose = [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
        assert (lock.name, loose) == (lock.name, [])


def test_environments_that_share_a_place_agree_on_versions(checkout: Path) -> None:
    def pins(name: str) -> set[str]:
        text = (checkout / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^([a-z0-9._-]+==[^ ]+)", text, re.MULTILINE))

    assert pins("runtime.txt") <= pins("test.txt") <= pins("check.txt")


def test_the_javascript_lock_names_no_address(checkout: Path) -> None:
    packages = json.loads((checkout / "tests/clients/inspector/package-lock.json").read_text(encoding="utf-8"))[
        "packages"
    ]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


def test_nothing_names_the_host_of_a_registry(checkout: Path) -> None:
    found = []
    for file in sorted(checkout.rglob("*")):
        parts = file.relative_to(checkout).parts
        # Environments, caches and the history are hidden directories; what is published from one is `.ci`.
        if (
            OWN & set(parts)
            or (parts[0].startswith(".") and len(parts) > 1 and parts[0] != ".ci")
            or not file.is_file()
        ):
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(checkout)}: {match[0]}" for match in REGISTRIES.finditer(text)]
    assert found == []
