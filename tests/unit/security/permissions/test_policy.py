from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy import Policy


def test_folders_give_reading_listing_and_writing_and_nothing_else(home: Path) -> None:
    policy = Policy.for_folders([home / "Notes", str(home / "Notes")], client="claude")
    profile = policy.clients["claude"]
    assert profile.folders == (str(home / "Notes"),)
    assert [rule.text for rule in profile.rules.allow] == ["FILE_READ **", "DIRECTORY_LIST **", "FILE_WRITE **"]
    assert (profile.rules.ask, profile.rules.deny, policy.ceiling) == ((), (), None)
    assert policy.default_deny.deny


def test_no_folders_grant_nothing() -> None:
    assert Policy.for_folders([]).clients["local"].rules.allow == ()


def test_a_link_to_a_folder_is_resolved(home: Path) -> None:
    (home / "link").symlink_to(home / "Notes")
    assert Policy.for_folders([home / "link"]).clients["local"].folders == (str(home / "Notes"),)


def test_a_missing_folder_is_refused(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        Policy.for_folders([home / "nowhere"])


def test_a_folder_whose_name_no_rule_could_hold_is_refused(home: Path) -> None:
    (home / "a\nb").mkdir()
    with pytest.raises(ConfigurationError, match="another folder"):
        Policy.for_folders([home / "a\nb"])


def test_the_digest_is_that_of_what_is_meant_not_of_how_it_is_laid_out(parse: Callable[[str], Policy]) -> None:
    one = parse('[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]')
    same = parse('# spaced\n\n[client.ada]\nallow = [\n "FILE_READ **"\n]\nfolders = ["Notes"]')
    assert one.digest == same.digest
    assert len(one.digest) == 64
    assert one == same


@pytest.mark.parametrize(
    "change",
    [
        '[client.ada]\nfolders = ["Notes"]\nask = ["FILE_READ **"]',
        '[client.ada]\nfolders = ["Shared"]\nallow = ["FILE_READ **"]',
        '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ *"]',
        '[client.eve]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]',
        '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]\ntools = []',
        '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]\nseparate_process = true',
        '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]\nlimits = { concurrent_calls = 1 }',
        '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]\n[ceiling]\nallow = ["FILE_READ"]',
        '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]\n[default_deny]\nextra = ["FILE_READ **/x"]',
    ],
)
def test_the_digest_changes_with_every_meaning(parse: Callable[[str], Policy], change: str) -> None:
    assert parse(change).digest != parse('[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ **"]').digest


def test_a_policy_does_not_change_with_what_it_was_made_from() -> None:
    profile = Policy.for_folders([]).clients["local"]
    clients = {"local": profile}
    policy = Policy(clients)
    clients.clear()
    assert "local" in policy.clients
