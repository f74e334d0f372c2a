"""The contracts of import-linter, and that transports do not know each other."""

from __future__ import annotations

import os
from pathlib import Path

import grimp
import pytest
from importlinter import configuration
from importlinter.application import use_cases
from importlinter.application.user_options import UserOptions


@pytest.fixture(scope="module")
def options(checkout: Path) -> UserOptions:
    configuration.configure()
    return use_cases.read_user_options(str(checkout / "pyproject.toml"))


@pytest.fixture(scope="module")
def graph(checkout: Path) -> grimp.ImportGraph:
    return grimp.build_graph("mcp_server", exclude_type_checking_imports=True, cache_dir=None)


def test_every_contract_is_kept(options: UserOptions, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    use_cases._register_contract_types(options)
    report = use_cases.create_report(options, cache_dir=None)
    assert [contract.name for contract, check in report.get_contracts_and_checks() if not check.kept] == []
    assert report.contains_failures is False


def test_every_package_has_its_floor(options: UserOptions, checkout: Path) -> None:
    (layers,) = [contract for contract in options.contracts_options if contract["type"] == "layers"]
    declared = {room.strip("() ") for floor in layers["layers"] for room in floor.split("|")}
    packages = {path.parent.name for path in (checkout / "mcp_server").glob("*/__init__.py")}
    assert packages <= declared


def test_transports_do_not_know_each_other(graph: grimp.ImportGraph) -> None:
    transports = {
        module
        for module in graph.find_children("mcp_server.transport")
        if module.endswith("_transport") and not module.endswith(".base_transport")
    }
    assert transports
    acquaintances = [
        (importer, imported)
        for importer in sorted(transports)
        for imported in sorted(transports - {importer})
        if graph.chain_exists(importer, imported)
    ]
    assert acquaintances == []


def test_every_directory_of_sources_is_a_package(checkout: Path) -> None:
    folders = {file.parent for file in (checkout / "mcp_server").rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not os.path.exists(folder / "__init__.py")] == []
