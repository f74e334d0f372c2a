from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.core.config_loader import ConfigLoader
from mcp_server.core.server_config import ServerConfig
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy

POLICY = 'version = 1\n[client.ada]\nfolders = ["."]\nallow = ["FILE_READ **"]\n'


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text(POLICY)
    path.chmod(0o600)
    return path


def build(environment: dict[str, str] | None = None, **given: Any) -> ServerConfig:
    settings: dict[str, Any] = {
        "name": "desk",
        "version": "1",
        "title": None,
        "instructions": None,
        "policy": None,
        "folders": (),
        "client": None,
        "state": "state",
        "durability": "process",
    }
    return ConfigLoader({"HOME": "/home/ada", **(environment or {})}).build(**(settings | given))


def test_folders_make_a_policy_for_one_client(tmp_path: Path) -> None:
    config = build(folders=[tmp_path], client="ada")
    assert list(config.policy.clients) == ["ada"]
    assert config.policy.clients["ada"].folders == (str(tmp_path),)
    assert config.policy_path is None


def test_without_folders_and_policy_nobody_may_do_anything() -> None:
    (profile,) = build().policy.clients.values()
    assert (profile.name, profile.folders, profile.rules.allow) == ("local", (), ())


@pytest.mark.parametrize("client", ["../evil", "a/b", "..", ".hidden", "a\x00b", "-x", "a" * 65, "a\n", "ä"])
def test_a_client_whose_name_is_no_name_of_a_directory_is_refused(client: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no client's name"):
        build(folders=[tmp_path], client=client)
    with pytest.raises(ConfigurationError, match="no client's name"):
        build({"MCP_SERVER_CLIENT": client}, folders=[tmp_path])


def test_a_policy_file_is_loaded_and_watched(policy_file: Path) -> None:
    config = build(policy=policy_file, client="ada")
    assert config.policy_path == policy_file
    assert config.policy.source == str(policy_file)


def test_a_relative_policy_file_is_kept_as_absolute(policy_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(policy_file.parent)
    assert build(policy="desk.toml").policy_path == policy_file


def test_a_policy_made_by_the_program_is_taken_as_it_is() -> None:
    policy = Policy.for_folders([])
    assert build(policy=policy).policy is policy


def test_folders_and_policy_together_are_refused(policy_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        build(policy=policy_file, folders=[tmp_path])


@pytest.mark.parametrize("durability", ["", "Process", "none", "DISK"])
def test_another_durability_is_refused(durability: str) -> None:
    with pytest.raises(ConfigurationError, match="durability"):
        build(durability=durability)
    assert build(durability="disk").durability is Durability.DISK


def test_where_the_program_is_silent_the_environment_speaks(policy_file: Path, tmp_path: Path) -> None:
    environment = {
        "MCP_SERVER_POLICY": str(policy_file),
        "MCP_SERVER_CLIENT": "ada",
        "MCP_SERVER_STATE": str(tmp_path / "elsewhere"),
    }
    config = build(environment, state=None)
    assert (config.client, config.policy_path, config.state_directory) == (
        "ada",
        policy_file,
        tmp_path / "elsewhere",
    )


def test_what_the_program_says_wins_over_the_environment(policy_file: Path, tmp_path: Path) -> None:
    environment = {"MCP_SERVER_POLICY": "/nowhere.toml", "MCP_SERVER_CLIENT": "eve", "MCP_SERVER_STATE": "/nowhere"}
    config = build(environment, policy=policy_file, client="ada", state=tmp_path)
    assert (config.client, config.policy_path, config.state_directory) == ("ada", policy_file, tmp_path)
    # Folders on the command line are an answer too: a policy of the environment does not add to them.
    assert build(environment, folders=[tmp_path], client="ada").policy_path is None


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"MCP_SERVER_STATE": "/srv/mcp"}, "/srv/mcp"),
        ({"XDG_STATE_HOME": "/var/state", "HOME": "/home/ada"}, "/var/state/mcp-server"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/ada"}, "/home/ada/.local/state/mcp-server"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/ada"}, "/home/ada/.local/state/mcp-server"),
        ({"HOME": "/home/ada"}, "/home/ada/.local/state/mcp-server"),
    ],
)
def test_where_state_lives(environment: dict[str, str], directory: str) -> None:
    assert str(ConfigLoader(environment).state_directory(None)) == directory
    assert str(ConfigLoader(environment).state_directory("/given")) == "/given"


def test_without_any_home_a_state_directory_must_be_given() -> None:
    with pytest.raises(ConfigurationError, match="--state"):
        ConfigLoader({}).state_directory(None)


def test_a_configuration_file_is_read_with_its_paths_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(
        'name = "desk"\npolicy = "desk.toml"\nstate = "/var/state"\nfolders = ["notes", "/abs"]\nmodules = ["a.b"]\n'
    )
    assert ConfigLoader({}).read_file(file) == {
        "name": "desk",
        "policy": str(tmp_path / "desk.toml"),
        "state": "/var/state",
        "folders": [str(tmp_path / "notes"), "/abs"],
        "modules": ["a.b"],
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nme = 'x'", "unknown key 'nme'"),
        ("name = 3", "'name' must be a text"),
        ("folders = 'notes'", "'folders' must be a list of texts"),
        ("folders = [1]", "'folders' must be a list of texts"),
        ("name = ", "is not TOML"),
        ("[name]\nx = 1", "'name' must be a text"),
    ],
)
def test_a_configuration_file_with_a_mistake_is_refused_whole(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "server.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        ConfigLoader({}).read_file(file)
    assert caught.value.source == str(file)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00"])
def test_a_configuration_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "server.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError):
        ConfigLoader({}).read_file(file)


def test_a_configuration_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ConfigLoader({}).read_file(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_an_operator_who_says_how_memory_is_kept_is_left_alone(name: str, tmp_path: Path) -> None:
    assert build(folders=[tmp_path]).keeps_memory
    assert not build({name: "1"}, folders=[tmp_path]).keeps_memory
