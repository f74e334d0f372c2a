"""The local issuer from end to end, and that no tool comes near its keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from mcp_server.security.authentication.tokens.signing_key_store import KEYS_DIRECTORY, SigningKeyStore
from mcp_server.security.authentication.tokens.token_issuer import TokenIssuer
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader
from tests.support.authentication_rig import AuthenticationRig
from tests.support.tokens import AUDIENCE, ISSUER, NOW

POLICY = f"""
version = 1
[issuer.home]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
local_keys = true
[client.ada]
[[client.ada.match]]
jwt = {{ issuer = "home", subject = "ada" }}
"""


@pytest.fixture
def store(tmp_path: Path) -> SigningKeyStore:
    store = SigningKeyStore(tmp_path / KEYS_DIRECTORY / "home", clock=lambda: float(NOW))
    store.generate()
    return store


def issue(store: SigningKeyStore) -> str:
    rules = IssuerRules("home", issuer=ISSUER, audience=AUDIENCE)
    issuer = TokenIssuer(rules=rules, key=store.signing_key(), clock=lambda: float(NOW))
    return issuer.issue(subject="ada", client_id="desk", lifetime_seconds=600)[0]


def test_a_token_of_this_machine_leads_to_its_client(store: SigningKeyStore, tmp_path: Path) -> None:
    rig = AuthenticationRig(POLICY, state=tmp_path)
    assert rig.show(issue(store)).client == "ada"


def test_a_rotation_goes_unnoticed_and_a_compromised_key_is_refused_within_a_second(
    store: SigningKeyStore, tmp_path: Path
) -> None:
    rig = AuthenticationRig(POLICY, state=tmp_path)
    old = issue(store)
    rig.show(old)
    store.rotate()
    rig.pass_time(1)
    new = issue(store)
    assert (rig.show(old).client, rig.show(new).client) == ("ada", "ada")
    store.rotate(is_compromised=True)
    rig.pass_time(1)
    assert [rig.refusal(each) for each in (old, new)] == ["token: no key of this id"] * 2
    assert rig.show(issue(store)).client == "ada"
    assert [kind for kind, _ in rig.records if kind == "keyset.changed"] == ["keyset.changed"] * 2


def test_a_server_without_its_keys_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mcp-server keys generate home"):
        AuthenticationRig(POLICY, state=tmp_path / "empty")


def test_a_public_key_that_others_could_replace_is_not_believed(store: SigningKeyStore, tmp_path: Path) -> None:
    store.public_file.chmod(0o666)
    with pytest.raises(ConfigurationError, match="sign for everybody"):
        AuthenticationRig(POLICY, state=tmp_path)


@pytest.mark.parametrize("file", ["signing.json", "keys.json"])
@pytest.mark.parametrize("right", ["FILE_READ", "FILE_WRITE", "FILE_DELETE", "DIRECTORY_LIST"])
def test_no_policy_grants_a_path_to_the_keys(tmp_path: Path, file: str, right: str) -> None:
    (tmp_path / "state").mkdir()
    policy = PolicyLoader().parse(
        f'version = 1\n[client.ada]\nfolders = ["{tmp_path}"]\nallow = ["{right} **"]\n', base=tmp_path
    )
    path = str(tmp_path / "state" / KEYS_DIRECTORY / "home" / file)
    assert not PermissionManager(policy=policy).decide("ada", PermissionType(right), path).is_allowed
    # The negative control: but for the name of the directory, the policy would grant it.
    neighbour = path.replace(KEYS_DIRECTORY, "mcp-server-keys")
    assert PermissionManager(policy=policy).decide("ada", PermissionType(right), neighbour).is_allowed
    assert PolicyEvaluator(policy).decide("ada", PermissionType(right), path).rule.startswith("default_deny.shipped")


def test_no_client_of_the_policy_has_a_folder_that_holds_the_state(tmp_path: Path) -> None:
    import asyncio

    (tmp_path / "desk").mkdir()
    policy = tmp_path / "desk.toml"
    policy.write_text(f'version = 1\n[client.local]\n[client.other]\nfolders = ["{tmp_path}"]\n')
    policy.chmod(0o600)
    server = MCPServer("x", policy=policy, state=tmp_path / "state")
    with pytest.raises(ConfigurationError, match=r"client 'other'.*overlap"):
        asyncio.run(server.lifecycle().open())
    assert not (tmp_path / "state").exists()


def test_the_private_key_is_in_one_file_only(store: SigningKeyStore, tmp_path: Path) -> None:
    secret = json.loads((tmp_path / KEYS_DIRECTORY / "home" / "signing.json").read_text())["d"]
    rig = AuthenticationRig(POLICY, state=tmp_path)
    rig.show(issue(store))
    holding = [each.name for each in tmp_path.rglob("*") if each.is_file() and secret in each.read_text()]
    assert holding == ["signing.json"]
    assert secret not in repr(store.signing_key()) + repr(rig.records)
