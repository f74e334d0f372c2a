from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

from mcp_server import __version__
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.durability import Durability


def server_of(*arguments: str | Path) -> MCPServer:
    parser = ArgumentParser()
    add_server_options(parser)
    return make_server(parser.parse_args([str(each) for each in arguments]))


def test_folders_describe_a_server_with_the_filesystem_module(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    server = server_of("--folder", tmp_path / "a", "--folder", tmp_path / "b", "--client", "ada")
    assert server.config.policy.clients["ada"].folders == (str(tmp_path / "a"), str(tmp_path / "b"))
    assert (server.config.name, server.config.version) == ("mcp-server", __version__)
    assert server.catalog.tool("read_text_file").module == "filesystem"
    assert server.catalog.tool("list_archive").module == "archive"


def test_a_policy_describes_one_as_well(desk: Path) -> None:
    server = server_of("--policy", desk / "desk.toml", "--state", desk / "state", "--durability", "disk")
    assert server.config.policy_path == desk / "desk.toml"
    assert server.config.state_directory == desk / "state"
    assert server.config.durability is Durability.DISK


def test_both_at_once_describe_none(desk: Path) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        server_of("--policy", desk / "desk.toml", "--folder", desk / "Desk")


def test_further_modules_are_registered_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("extra_one", "extra_two"):
        (tmp_path / f"{name}.py").write_text(f"from mcp_server import Module\nmodule = Module('{name}')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    server = server_of("--module", "extra_one", "--module", "extra_two")
    assert [each.name for each in server.catalog.modules] == ["filesystem", "extra_one", "extra_two"]
    with pytest.raises(ConfigurationError, match="no_such_module"):
        server_of("--module", "no_such_module")


def test_a_configuration_file_says_what_the_command_line_does_not(desk: Path) -> None:
    (desk / "server.toml").write_text(
        'name = "desk"\ntitle = "The desk"\npolicy = "desk.toml"\nstate = "elsewhere"\ndurability = "disk"\n'
    )
    config = server_of("--config", desk / "server.toml").config
    assert (config.name, config.title, config.policy_path) == ("desk", "The desk", desk / "desk.toml")
    assert (config.state_directory, config.durability) == (desk / "elsewhere", Durability.DISK)
    given = server_of(
        *("--config", desk / "server.toml", "--folder", desk / "Desk"),
        *("--state", desk / "given", "--durability", "process"),
    ).config
    # What is granted is said in one way: the command line's replaces the file's.
    assert given.policy_path is None
    assert (given.state_directory, given.durability) == (desk / "given", Durability.PROCESS)


@pytest.mark.parametrize("word", ["true", "false"])
def test_root_actions_are_registered_where_the_policy_switches_them_on(desk: Path, word: str) -> None:
    file = desk / "root.toml"
    file.write_text(
        f'version = 1\n[sudo]\nenabled = {word}\n[sudo.action.sync]\nprogram = "/usr/bin/sync"\n[client.local]\n'
    )
    file.chmod(0o600)
    server = server_of("--policy", file)
    assert ("root_actions" in [each.name for each in server.catalog.modules]) is (word == "true")
