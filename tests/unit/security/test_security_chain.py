from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.operation_failed_error import OperationFailedError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall
from mcp_server.tools.tool_result import ToolResult
from tests.security.chain.chain_rig import ChainRig, nothing, operation

READS = Permission(PermissionType.FILE_READ, "*.txt", argument="path")
LISTS = Permission(PermissionType.DIRECTORY_LIST, "**", argument="path")
WRITES = Permission(PermissionType.FILE_WRITE, "**", argument="path")


def run(rig: ChainRig, plan: Any, **settings: Any) -> Any:
    return asyncio.run(rig.chain.run(rig.local, lambda principal: plan, **settings))


def test_the_handlers_value_is_returned_as_it_is(rig: ChainRig) -> None:
    value = object()

    async def handler(client: Any) -> object:
        return value

    assert run(rig, operation(handler)) is value


def test_the_plan_is_drawn_for_the_principal(rig: ChainRig) -> None:
    seen = []

    def plan(principal: Any) -> Any:
        seen.append(principal.client)
        return operation(nothing)

    asyncio.run(rig.chain.run(rig.other, plan))
    assert seen == ["other"]


def test_the_protocol_learns_of_the_running_call_before_the_handler_runs(rig: ChainRig) -> None:
    started: list[RunningCall] = []

    async def handler(client: Any) -> str:
        assert [each.call_id for each in started] == [client.id]
        return str(client.id)

    assert run(rig, operation(handler), on_start=started.append) == "call-1"
    assert started[0].has_ended


def test_the_records_of_a_call_say_who_what_which_and_how_long(rig: ChainRig) -> None:
    async def handler(client: Any) -> ToolResult:
        rig.clock.advance(0.25)
        return ToolResult(content=(), is_error=True)

    plan = operation(
        handler,
        permissions=(READS,),
        needs={READS: "note.txt"},
        arguments={"path": "note.txt", "word": "hush"},
        definition_hash="ab" * 32,
    )
    run(rig, plan, request="r1")
    intent, done = rig.calls()
    assert (intent["client"], intent["tool"], intent["method"]) == ("local", "probe", "tools/call")
    assert (intent["req_id"], intent["conn"], intent["tool_hash"]) == ("r1", "m1", "ab" * 32)
    assert intent["args"]["path"] == "note.txt"
    assert "hush" not in str(intent)
    assert intent["need"] == [["FILE_READ", str(rig.folder / "note.txt"), "local.allow[0]"]]
    assert done["dur_us"] == 250_000
    assert done["out"] == {"is_error": True}


def test_what_the_handler_used_beyond_the_intent_stands_in_the_outcome(rig: ChainRig) -> None:
    unbound = Permission(PermissionType.FILE_READ, "**")

    async def handler(client: Any) -> None:
        await client.files.read_text("other.txt")

    run(rig, operation(handler, permissions=(unbound,)))
    intent, done = rig.calls()
    assert [each[1] for each in done["need"]] == [str(rig.folder / "other.txt")]
    assert intent["call"] == done["call"]


def test_a_refused_plan_is_on_record_without_its_words(rig: ChainRig) -> None:
    def plan(principal: Any) -> Any:
        raise InvalidArgumentsError(["'path' must be a text, not swordfish"])

    with pytest.raises(InvalidArgumentsError):
        asyncio.run(rig.chain.run(rig.local, plan, request=3))
    (record,) = rig.calls()
    assert (record["kind"], record["err"], record["req_id"]) == ("call.denied", "InvalidArgumentsError", 3)
    assert "swordfish" not in str(record)


@pytest.mark.parametrize("error", [SystemExit, RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_plan_that_breaks_is_masked_and_on_record(rig: ChainRig, error: type[BaseException]) -> None:
    def plan(principal: Any) -> Any:
        raise error("a secret")

    with pytest.raises(OperationFailedError) as caught:
        asyncio.run(rig.chain.run(rig.local, plan))
    (record,) = rig.calls()
    assert record["call"] == caught.value.error_id
    assert record["err"] == f"OperationFailedError:{error.__name__}"
    assert "secret" not in str(record) + str(caught.value)


def test_a_call_out_of_the_sandbox_is_on_record_as_that(rig: ChainRig) -> None:
    with pytest.raises(SandboxViolationError):
        run(rig, operation(nothing, permissions=(READS,), needs={READS: "../../etc/passwd"}))
    (record,) = rig.calls()
    assert (record["kind"], record["decision"]) == ("sandbox.violation", "deny")
    assert record["err"] == "SandboxViolationError:escape"


def test_a_door_that_refuses_after_the_intent_is_a_denial_of_a_done_call(rig: ChainRig) -> None:
    unbound = Permission(PermissionType.FILE_READ, "**")

    async def handler(client: Any) -> None:
        await client.files.read_text("never.txt")

    with pytest.raises(PermissionDeniedError):
        run(rig, operation(handler, permissions=(unbound,)))
    assert rig.kinds() == ["call.intent", "call.done"]
    assert rig.calls()[-1]["decision"] == "deny"


def test_a_question_that_travels_to_the_client_is_no_failure(rig: ChainRig) -> None:
    async def handler(client: Any) -> None:
        raise InputRequiredSignal("q0", {"method": "roots/list"})

    with pytest.raises(InputRequiredSignal):
        run(rig, operation(handler))
    assert rig.calls()[-1]["err"] == "input_required"


def test_a_question_inside_a_group_is_the_question(rig: ChainRig) -> None:
    async def asks() -> None:
        raise InputRequiredSignal("q7", {"method": "roots/list"})

    async def handler(client: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asks())

    with pytest.raises(InputRequiredSignal) as caught:
        run(rig, operation(handler))
    assert caught.value.key == "q7"


def test_a_call_that_is_taken_back_ends_and_says_so(rig: ChainRig) -> None:
    async def attack() -> None:
        async def handler(client: Any) -> None:
            await asyncio.Event().wait()

        call = asyncio.ensure_future(rig.chain.run(rig.local, lambda principal: operation(handler)))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(attack())
    assert rig.calls()[-1]["err"] == "cancelled"
    assert rig.watch.count == 0


def test_bound_files_are_pinned_for_the_call_and_let_go_after_it(rig: ChainRig) -> None:
    pinned: list[Any] = []

    async def handler(client: Any) -> None:
        pinned.extend(client._pinned.values())
        assert all(each.fd >= 0 for each in pinned)

    run(rig, operation(handler, permissions=(READS, LISTS), needs={READS: "note.txt", LISTS: "."}))
    assert len(pinned) == 2
    assert all(each.fd < 0 for each in pinned)


def test_a_file_to_be_written_need_not_exist(rig: ChainRig) -> None:
    async def handler(client: Any) -> None:
        await client.files.write_text("new.txt", "hello")

    run(rig, operation(handler, permissions=(WRITES,), needs={WRITES: "new.txt"}))
    assert (rig.folder / "new.txt").read_text() == "hello"


def test_writing_in_a_further_folder_needs_a_right_of_its_own(rig: ChainRig) -> None:
    text = """
    version = 1
    [client.local]
    folders = ["folder"]
    global_folders = ["other"]
    allow = ["FILE_WRITE **"]
    """
    rig.permissions.replace(rig.policy(text))
    path = str(rig.directory / "other" / "x.txt")

    async def handler(client: Any) -> None:
        await client.files.write_text(path, "hello")

    plan = operation(handler, permissions=(WRITES,), needs={WRITES: path})
    with pytest.raises(PermissionDeniedError) as caught:
        run(rig, plan)
    assert caught.value.missing[0][0] == "FILE_WRITE_GLOBAL"
    rig.permissions.replace(rig.policy(text.replace('"FILE_WRITE **"', '"FILE_WRITE_GLOBAL **"')))
    run(rig, plan)
    assert (rig.directory / "other" / "x.txt").read_text() == "hello"


def test_a_client_without_folders_is_told_so(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy('version = 1\n[client.local]\nallow = ["CUSTOM_BELL **"]\n'))
    bell = Permission(PermissionType.custom("CUSTOM_BELL"), "**", argument="name")
    assert run(rig, operation(nothing, permissions=(bell,), needs={bell: "front"})) == "done"

    async def reads(client: Any) -> None:
        await client.files.read_text("a.txt")

    with pytest.raises(ResourceUnavailableError, match="no folder"):
        run(rig, operation(reads))


def test_execution_outside_the_sandbox_is_a_right_of_its_own(rig: ChainRig) -> None:
    free = Permission(PermissionType.CODE_EXECUTION, "**", restricted=False)
    grant = 'version = 1\n[client.local]\nallow = ["CODE_EXECUTION %s"]\n'
    rig.permissions.replace(rig.policy(grant % "**"))
    with pytest.raises((PermissionDeniedError, UnknownNameError)):
        run(rig, operation(nothing, permissions=(free,)))
    rig.permissions.replace(rig.policy(grant % 'unrestricted", "CODE_EXECUTION **'))
    assert run(rig, operation(nothing, permissions=(free,))) == "done"


def test_permits_says_what_would_pass_without_a_question_and_runs_nothing(rig: ChainRig) -> None:
    ran = []

    async def handler(client: Any) -> None:
        ran.append(1)

    def would(path: str) -> bool:
        permission = Permission(PermissionType.FILE_READ, "**", argument="path")
        plan = operation(handler, permissions=(permission,), needs={permission: path})
        return rig.chain.permits(rig.local, lambda principal: plan)

    assert [would(path) for path in ("note.txt", "never.txt", "maybe.ask", "x.key")] == [True, False, False, False]
    assert ran == []
    assert rig.calls() == []


def test_permits_says_no_to_what_the_client_may_not_even_know(rig: ChainRig) -> None:
    bell = Permission(PermissionType.custom("CUSTOM_GONG"), "**")
    assert not rig.chain.permits(rig.local, lambda principal: operation(nothing, permissions=(bell,)))
    with pytest.raises(AuthenticationError):
        rig.chain.permits(Credentials(transport="memory", profile="nobody"), lambda principal: operation(nothing))


def test_a_view_is_kept_until_the_policy_changes(rig: ChainRig) -> None:
    first = rig.chain.view(rig.local, method="tools/list", request=1)
    assert rig.chain.view(rig.local, method="tools/list", request=2) is first
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\n"))
    second = rig.chain.view(rig.local, method="tools/list", request=3)
    assert second is not first
    assert second.fingerprint != first.fingerprint


def test_a_listing_is_on_record_and_answered_even_when_it_cannot_be(rig: ChainRig) -> None:
    rig.chain.view(rig.local, method="tools/list", request=1)
    assert rig.calls()[-1]["method"] == "tools/list"
    rig.writer.fails_after = 0
    assert rig.chain.view(rig.local, method="tools/list", request=2) is not None


def test_forgetting_a_connection_drops_its_principal(rig: ChainRig) -> None:
    run(rig, operation(nothing))
    assert rig.authentication._principals
    rig.chain.forget(rig.local)
    assert rig.authentication._principals == {}


def test_a_tools_own_time_limit_wins_over_the_clients(rig: ChainRig) -> None:
    deadlines: list[float] = []

    async def handler(client: Any) -> None:
        deadlines.append(client._call.deadline - rig.clock.now)

    run(rig, operation(handler))
    run(rig, operation(handler, timeout_seconds=7.0))
    assert deadlines == [30.0, 7.0]


def test_a_folder_that_cannot_be_opened_is_refused_without_its_name(
    rig: ChainRig, caplog: pytest.LogCaptureFixture
) -> None:
    (rig.directory / "gone").mkdir()
    policy = rig.policy('version = 1\n[client.local]\nfolders = ["gone"]\n')
    (rig.directory / "gone").rmdir()
    rig.permissions.replace(policy)
    with pytest.raises(ResourceUnavailableError) as caught:
        run(rig, operation(nothing))
    assert "gone" not in str(caught.value)
    assert "gone" in caplog.text
    assert rig.calls()[-1]["err"] == "folders"
