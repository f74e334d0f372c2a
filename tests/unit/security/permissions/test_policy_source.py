from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.policy_source import PolicySource

GOOD = 'version = 1\n[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]\n'
OTHER = GOOD.replace("FILE_READ", "FILE_WRITE")
BAD = GOOD.replace("allow", "alow")


class Desk:
    """A served policy file, and what was told of it."""

    def __init__(self, home: Path) -> None:
        self.file = home / "desk.toml"
        self.write(GOOD)
        loader = PolicyLoader(home=str(home))
        self.manager = PermissionManager(policy=loader.load(self.file))
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.source = PolicySource(
            self.file, loader, self.manager, lambda kind, fields: self.events.append((kind, fields))
        )

    def write(self, text: str) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o600)
        os.replace(fresh, self.file)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


@pytest.fixture
def desk(home: Path) -> Desk:
    return Desk(home)


def test_a_changed_policy_comes_in_force_and_is_told(desk: Desk) -> None:
    before = desk.manager.policy.digest
    desk.write(OTHER)
    assert desk.source.reload()
    assert desk.manager.epoch == 2
    ((kind, fields),) = desk.events
    assert kind == "policy.loaded"
    assert fields == {
        "source": str(desk.file),
        "digest": desk.manager.policy.digest,
        "previous": before,
        "epoch": 2,
        "clients": 1,
    }
    assert fields["digest"] != before


@pytest.mark.parametrize("text", [BAD, "", "version = 1\n[", GOOD.replace("Notes", "Gone")])
def test_a_bad_policy_changes_nothing_and_is_told(desk: Desk, text: str) -> None:
    old = desk.manager.policy
    desk.write(text)
    assert not desk.source.reload()
    assert desk.manager.policy is old
    assert desk.manager.epoch == 1
    ((kind, fields),) = desk.events
    assert kind == "policy.rejected"
    assert fields["digest"] == old.digest
    assert fields["reason"]


def test_a_rejection_names_the_line(desk: Desk) -> None:
    desk.write(BAD)
    desk.source.reload()
    assert desk.events[0][1]["line"] == 4


def test_a_file_others_may_write_is_not_put_in_force(desk: Desk) -> None:
    desk.write(OTHER)
    desk.file.chmod(0o666)
    assert not desk.source.reload()
    assert desk.manager.epoch == 1


def test_the_same_policy_is_no_new_epoch(desk: Desk) -> None:
    desk.write("# a comment\n" + GOOD)
    assert desk.source.reload()
    assert desk.manager.epoch == 1
    assert desk.kinds == ["policy.loaded"]


def test_an_unchanged_file_is_left_alone(desk: Desk) -> None:
    assert not desk.source.reload_if_changed()
    assert not desk.source.reload_if_changed()
    assert desk.events == []


def test_a_change_between_the_first_load_and_the_first_look_is_seen(desk: Desk) -> None:
    desk.write(OTHER)
    assert desk.source.reload_if_changed()
    assert desk.manager.epoch == 2


def test_a_bad_file_is_told_once_and_a_repaired_one_comes_in_force(desk: Desk) -> None:
    desk.write(BAD)
    assert not desk.source.reload_if_changed()
    assert not desk.source.reload_if_changed()
    assert desk.kinds == ["policy.rejected"]
    desk.write(OTHER)
    assert desk.source.reload_if_changed()
    assert desk.kinds == ["policy.rejected", "policy.loaded"]


def test_a_vanished_file_keeps_the_policy_and_is_told_once(desk: Desk) -> None:
    desk.source.reload_if_changed()
    desk.file.unlink()
    assert not desk.source.reload_if_changed()
    assert not desk.source.reload_if_changed()
    assert desk.kinds == ["policy.rejected"]
    assert desk.manager.epoch == 1
