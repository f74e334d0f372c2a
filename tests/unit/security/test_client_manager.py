from __future__ import annotations

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.security.authentication.principal import Principal
from tests.security.chain.chain_rig import POLICY, ChainRig

LOCAL = Principal("local", ("local-peer",))


def test_a_clients_folders_are_opened_at_its_first_call_and_kept(rig: ChainRig) -> None:
    assert rig.opened == []
    first = rig.clients.record(LOCAL)
    assert rig.clients.record(LOCAL) is first
    assert rig.opened == ["local"]


def test_each_client_has_a_record_of_its_own(rig: ChainRig) -> None:
    other = rig.clients.record(Principal("other", ("local-peer",)))
    local = rig.clients.record(LOCAL)
    assert local is not other
    assert local.state is not other.state
    assert local.files is not other.files


def test_a_client_that_the_policy_names_no_more_is_refused(rig: ChainRig) -> None:
    files = rig.clients.record(LOCAL).files
    assert files is not None
    rig.permissions.replace(rig.policy("version = 1\n[client.other]\n"))
    for _ in range(2):
        with pytest.raises(AuthenticationError) as caught:
            rig.clients.record(LOCAL)
        assert "local" in caught.value.reason
        assert "local" not in str(caught.value)
    # Its folders are let go.
    assert files.roots == ()


def test_other_rules_keep_the_open_folders(rig: ChainRig) -> None:
    record = rig.clients.record(LOCAL)
    files = record.files
    rig.permissions.replace(rig.policy(POLICY.replace("deny =", "# deny =")))
    assert rig.clients.record(LOCAL) is record
    assert record.files is files
    assert record.profile is rig.permissions.profile("local")
    assert rig.opened == ["local"]


@pytest.mark.parametrize(
    "change",
    [
        ('folders = ["folder"]', 'folders = ["folder", "other"]'),
        ('folders = ["folder"]', 'folders = ["folder"]\nglobal_folders = ["other"]'),
        ('folders = ["folder"]', 'folders = ["folder"]\nlimits = { workspace_bytes = 5 }'),
        ('folders = ["folder"]', 'folders = ["folder"]\nseparate_process = true'),
    ],
)
def test_other_folders_are_opened_and_the_old_ones_closed(rig: ChainRig, change: tuple[str, str]) -> None:
    record = rig.clients.record(LOCAL)
    old = record.files
    record.state["page"] = 2
    rig.permissions.replace(rig.policy(POLICY.replace(*change)))
    rig.clients.record(LOCAL)
    assert record.files is not old
    assert old is not None
    assert old.roots == ()
    # What the client's handlers remember has nothing to do with its folders.
    assert record.state["page"] == 2


def test_folders_that_cannot_be_opened_leave_the_record_as_it_was(rig: ChainRig) -> None:
    record = rig.clients.record(LOCAL)
    old = record.files
    (rig.directory / "gone").mkdir()
    policy = rig.policy(POLICY.replace('["folder"]', '["gone"]'))
    (rig.directory / "gone").rmdir()
    rig.permissions.replace(policy)
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            rig.clients.record(LOCAL)
    assert record.files is old


def test_calls_are_counted_while_they_run(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { concurrent_calls = 2 }\n"))
    record = rig.clients.record(LOCAL)
    rig.clients.enter(record)
    rig.clients.enter(record)
    with pytest.raises(LimitExceededError) as caught:
        rig.clients.enter(record)
    assert caught.value.limit == "concurrent_calls"
    assert record.running == 2
    rig.clients.leave(record)
    rig.clients.enter(record)


def test_a_refused_call_costs_nothing_of_the_minutes_budget(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { concurrent_calls = 1 }\n"))
    record = rig.clients.record(LOCAL)
    rig.clients.enter(record)
    before = record.budget
    for _ in range(5):
        with pytest.raises(LimitExceededError):
            rig.clients.enter(record)
    assert record.budget == before


def test_the_budget_of_a_minute_is_refilled_bit_by_bit(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { calls_per_minute = 6 }\n"))
    record = rig.clients.record(LOCAL)
    for _ in range(6):
        rig.clients.enter(record)
        rig.clients.leave(record)
    with pytest.raises(LimitExceededError) as caught:
        rig.clients.enter(record)
    assert caught.value.retry_after_seconds == pytest.approx(10.0)
    rig.clock.advance(9.9)
    with pytest.raises(LimitExceededError):
        rig.clients.enter(record)
    rig.clock.advance(0.2)
    rig.clients.enter(record)


def test_a_stricter_limit_holds_at_once(rig: ChainRig) -> None:
    record = rig.clients.record(LOCAL)
    assert record.budget == 600
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { calls_per_minute = 1 }\n"))
    rig.clients.record(LOCAL)
    rig.clients.enter(record)
    with pytest.raises(LimitExceededError):
        rig.clients.enter(record)


def test_closing_closes_every_folder(rig: ChainRig) -> None:
    files = rig.clients.record(LOCAL).files
    rig.clients.close()
    assert files is not None
    assert files.roots == ()
