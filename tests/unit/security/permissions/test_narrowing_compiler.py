from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.narrowing_compiler import compile_narrowing
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_subject import PolicySubject

ADA = ClientProfile("ada", folders=("/srv/n",), global_folders=("/srv/g",))
SCOPES = {"read": ("FILE_READ **", "DIRECTORY_LIST **"), "empty": ()}


def covered(narrowing: Narrowing, kind: str, resource: str) -> str | None:
    subject = PolicySubject.read(PermissionType(kind), resource)
    rule = compile_narrowing(narrowing, ADA, SCOPES).rule_for(Effect.ALLOW, subject)
    return None if rule is None else rule.id


@pytest.mark.parametrize(
    ("rules", "scopes", "resource", "rule"),
    [
        (["FILE_READ *.md"], [], "/srv/n/a.md", "token[0]"),
        (["FILE_READ *.md"], [], "/srv/n/a.txt", None),
        (["FILE_READ *.md"], [], "/srv/g/a.md", None),
        (["FILE_READ /srv/g/**"], [], "/srv/g/a.md", "token[0]"),
        (["FILE_WRITE **"], [], "/srv/n/a.md", None),
        ([], ["read"], "/srv/n/a.md", "scope.read[0]"),
        ([], ["empty"], "/srv/n/a.md", None),
        ([], ["unknown"], "/srv/n/a.md", None),
        ([], [], "/srv/n/a.md", None),
        (["FILE_READ {client}/*"], [], "/srv/n/ada/a", "token[0]"),
    ],
)
def test_a_token_covers_what_its_rules_and_scopes_say(
    rules: list[str], scopes: list[str], resource: str, rule: str | None
) -> None:
    assert covered(Narrowing.of(rules=rules, scopes=scopes), "FILE_READ", resource) == rule


@pytest.mark.parametrize(
    "rule", ["", "FILE_READ", "nonsense", "FILE_REED **", "FILE_READ [a]", "FILE_READ ~/x", "FILE_READ /etc/**", "* *"]
)
def test_what_cannot_be_understood_covers_nothing_and_leaves_the_rest(
    rule: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    narrowing = Narrowing.of(rules=[rule, "FILE_READ b"])
    if rule != "FILE_READ":
        assert covered(narrowing, "FILE_READ", "/srv/n/a") is None
        assert "covers nothing for client ada" in caplog.text
    else:
        # The control: a type alone is every file in the client's own folders.
        assert covered(narrowing, "FILE_READ", "/srv/n/a") == "token[0]"
    assert covered(narrowing, "FILE_READ", "/srv/n/b") is not None


def test_no_link_of_the_machine_is_followed_for_a_token(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    root = str(tmp_path.resolve())
    profile = ClientProfile("ada", folders=(root,))
    layer = compile_narrowing(Narrowing.of(rules=[f"FILE_READ {root}/link/*"]), profile, {})
    read = PermissionType.FILE_READ
    assert layer.rule_for(Effect.ALLOW, PolicySubject.read(read, f"{root}/real/a")) is None
    assert layer.rule_for(Effect.ALLOW, PolicySubject.read(read, f"{root}/link/a")) is not None
