"""Processes that outlive their calls: whose they are, what of them is left, and what they may do to files."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation import process_sessions
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.process_sessions import MAX_SESSIONS_PER_CLIENT
from mcp_server.resources.kernel.pidfd import PidFd
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.testing import ModuleClient, client_for
from mcp_server.tools.module import Module
from mcp_server.tools.modules.execution_module import ExecutionModule
from tests.security.isolation.sandbox_rig import processes_with
from tests.support.sandboxes import sandbox_table
from tests.support.two_clients import TwoClients, two_clients

PROGRAMS: dict[str, dict[str, Any]] = {
    "sh": {"path": "/usr/bin/sh", "arguments": ["-c {script:text}"]},
    "wsh": {"path": "/usr/bin/sh", "arguments": ["-c {script:text}"], "workspace": "write"},
    "cat": {"path": "/usr/bin/cat", "arguments": [""]},
    "nosuch": {"path": "/usr/bin/nosuch-program", "arguments": [""]},
}
ALLOW = ["SYSTEM_COMMAND *", "FILE_READ **"]
COUNT = 5
FOREVER = "echo ready; exec sleep 1000"

Scenario = Callable[[TwoClients], Awaitable[None]]


@pytest.fixture
def marker() -> Iterator[str]:
    """How long the daemons of this test sleep, by which they are found."""
    marker = f"{secrets.randbelow(10**9)}.{secrets.randbelow(10**9) + 10**9}"
    yield marker
    for pid in daemons(marker):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def daemons(marker: str) -> list[int]:
    return processes_with(f"/bin/sleep\0{marker}\0")


def with_daemons(marker: str, ending: str) -> list[str]:
    """The arguments of a shell that leaves processes of sessions of their own behind, deaf to signals."""
    one = f"setsid sh -c 'trap \"\" TERM HUP INT; exec /bin/sleep {marker}' </dev/null >/dev/null 2>&1"
    begin = f"for each in $(seq {COUNT}); do {one} & done"
    # Until the last of them is another program; what looks for them does not find itself.
    begun = "$(grep -lzx '/bin/slee[p]' /proc/[0-9]*/cmdline 2>/dev/null | wc -l)"
    return ["-c", f"{begin}; while [ {begun} -lt {COUNT} ]; do :; done; echo ready; {ending}"]


def serve(
    folder: Path, scenario: Scenario, *, ada: Sequence[str] = ALLOW, bob: Sequence[str] = ALLOW, **more: Any
) -> Any:
    """Play a scenario against a server with two clients, and return that; at its end nothing is left."""

    async def main() -> TwoClients:
        async with asyncio.timeout(120):
            async with two_clients(folder.parent, ada=ada, bob=bob, programs=PROGRAMS, **more) as clients:
                await scenario(clients)
            assert asyncio.all_tasks() == {asyncio.current_task()}
        return clients

    clients = asyncio.run(main())
    staging = folder.parent / "staging"
    assert not staging.exists() or list(staging.iterdir()) == []
    return clients


async def started(client: ModuleClient, script: str = FOREVER, *, program: str = "sh") -> str:
    """Start a shell and return its process when it has written something."""
    process = (await client.call("start_process", program=program, args=["-c", script]))["process"]
    assert (await client.call("read_output", process=process, wait=30))["text"]
    return str(process)


async def ended(client: ModuleClient, process: str) -> Mapping[str, Any]:
    """Read to the end of a process, and return the last page."""
    page: Mapping[str, Any] = {"running": True, "next_offset": 0, "seen_bytes": 0}
    while page["running"] or page["next_offset"] < page["seen_bytes"]:
        page = await client.call("read_output", process=process, offset=page["next_offset"], wait=30)
    return page


async def refusal(client: ModuleClient, tool: str, **arguments: Any) -> str:
    """Call a tool that must fail, and return what it says."""
    result = await client.result(tool, **arguments)
    assert result.get("isError"), result
    return str(result["content"][0]["text"])


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go round until something is so."""
    while not condition():  # noqa: ASYNC110 - a condition of the code under test, which tells nobody
        await asyncio.sleep(0)


def process_ends(clients: TwoClients) -> list[tuple[str, str, str]]:
    fields = [each.fields for each in clients.audit if each.kind == "process.end"]
    return [(each["client"], each["process"], each["reason"]) for each in fields]


# E01: whose it is


def test_e01_another_client_gets_the_answer_for_what_never_was(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada)
        for tool, more in {
            "read_output": {},
            "write_input": {"text": "x"},
            "stop_process": {},
        }.items():
            answers = {await refusal(clients.bob, tool, process=each, **more) for each in (process, "0" * 32, "", "x")}
            assert len(answers) == 1
            assert "no such process" in answers.pop()
        assert await clients.bob.call("list_processes") == {"processes": []}
        # And it runs on, for its own client.
        assert [each["process"] for each in (await clients.ada.call("list_processes"))["processes"]] == [process]
        assert (await clients.ada.call("read_output", process=process))["running"]

    serve(folder, scenario)


def test_e01_an_id_cannot_be_guessed(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        first, second = await started(clients.ada), await started(clients.ada)
        assert len(bytes.fromhex(first)) == len(bytes.fromhex(second)) == 16
        # No part of one is found in the other: nothing is counted, and nothing is the time.
        assert not {first[at : at + 8] for at in range(25)} & {second[at : at + 8] for at in range(25)}

    serve(folder, scenario)


# The right to the command


@pytest.mark.parametrize("tool", ["read_output", "write_input", "stop_process"])
def test_a_right_that_is_gone_ends_the_process_with_the_next_use(folder: Path, marker: str, tool: str) -> None:
    arguments = {"text": "x"} if tool == "write_input" else {}

    async def scenario(clients: TwoClients) -> None:
        process = (await clients.ada.call("start_process", program="sh", args=with_daemons(marker, "wait")))["process"]
        await clients.ada.call("read_output", process=process, wait=30)
        # A policy that keeps the right keeps the process.
        clients.reload([*ALLOW, "CODE_EXECUTION python"])
        assert (await clients.ada.call("read_output", process=process))["running"]
        assert len(daemons(marker)) == COUNT
        clients.reload(["SYSTEM_COMMAND cat *"])
        denial = await clients.ada.denied(tool, process=process, **arguments)
        assert denial.permission == "SYSTEM_COMMAND"
        assert daemons(marker) == []
        assert process_ends(clients) == [("ada", process, "revoked")]
        # Nothing of it comes back with the right.
        clients.reload(ALLOW)
        assert "no such process" in await refusal(clients.ada, "read_output", process=process)

    serve(folder, scenario)


def test_a_right_that_is_gone_ends_the_process_when_nobody_uses_it(folder: Path, marker: str) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = (await clients.ada.call("start_process", program="sh", args=with_daemons(marker, "wait")))["process"]
        await clients.ada.call("read_output", process=process, wait=30)
        await clients.sessions.sweep()
        assert len(daemons(marker)) == COUNT
        # Another policy for all, in which this client is nobody any more.
        clients.reload([])
        await clients.sessions.sweep()
        assert daemons(marker) == []
        assert process_ends(clients) == [("ada", process, "revoked")]

    serve(folder, scenario)


def test_who_waits_for_output_gets_none_when_the_right_is_gone(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "echo ready; read x; echo secret; sleep 1000")
        waiting = asyncio.ensure_future(clients.ada.result("read_output", process=process, offset=6, wait=30))
        session = clients.sessions.find("ada", process)
        await until(lambda: bool(session.started_job._changed._waiters))  # type: ignore[attr-defined] - asyncio's own
        clients.reload(["SYSTEM_COMMAND cat *"])
        await clients.sessions.sweep()
        assert (await waiting)["isError"]

    serve(folder, scenario)


def test_a_command_that_is_not_shown_is_not_listed(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        await started(clients.ada)
        await clients.ada.call("start_process", program="cat")
        assert len((await clients.ada.call("list_processes"))["processes"]) == 2
        clients.reload(["SYSTEM_COMMAND cat"])
        assert [each["program"] for each in (await clients.ada.call("list_processes"))["processes"]] == ["cat"]

    serve(folder, scenario)


def test_a_tool_that_declares_less_reaches_less_and_ends_nothing(folder: Path) -> None:
    module = Module("narrow", isolation="inline")

    async def peek(client: ClientContext, params: Mapping[str, Any]) -> str:
        return (await client.processes.read(params["process"])).text

    module.register_tool(
        name="peek",
        description="Read what cat wrote.",
        handler=peek,
        input_schema={"type": "object", "properties": {"process": {"type": "string"}}},
        permissions=[Permission(PermissionType.SYSTEM_COMMAND, "cat*")],
    )

    async def scenario(clients: TwoClients) -> None:
        cat = (await clients.ada.call("start_process", program="cat", stdin="meow"))["process"]
        await clients.ada.call("read_output", process=cat, wait=30)
        assert await clients.ada.call("peek", process=cat) == "meow"
        shell = await started(clients.ada)
        assert "not declared" in (await clients.ada.denied("peek", process=shell)).message
        assert (await clients.ada.call("read_output", process=shell))["running"]

    serve(folder, scenario, modules=[module])


@pytest.mark.parametrize(
    ("program", "arguments", "told"),
    [
        ("/usr/bin/sh", ["-c", "id"], "no program"),
        ("python3", [], "no program"),
        ("cat", ["-"], "none of the forms"),
        ("sh", ["-x", "-c", "id"], "none of the forms"),
        ("sh", ["-c", "evil"], "missing permission"),
    ],
)
def test_nothing_is_started_but_what_could_be_run(folder: Path, program: str, arguments: list[str], told: str) -> None:
    async def scenario(clients: TwoClients) -> None:
        assert told in (await clients.ada.denied("start_process", program=program, args=arguments)).message
        assert len(clients.sessions) == 0
        assert (await clients.ada.call("start_process", program="cat"))["running"]

    serve(folder, scenario, ada=["SYSTEM_COMMAND cat*", "SYSTEM_COMMAND sh -c id"])


def test_a_file_that_is_not_there_is_not_started(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        assert "cannot be run" in await refusal(clients.ada, "start_process", program="nosuch")

    serve(folder, scenario)


def test_d09_places_are_bounded_and_given_back(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        results = await asyncio.gather(
            *(clients.ada.result("start_process", program="cat") for _ in range(5 * MAX_SESSIONS_PER_CLIENT))
        )
        refused = [each for each in results if each.get("isError")]
        assert len(refused) == 4 * MAX_SESSIONS_PER_CLIENT
        (told,) = {each["content"][0]["text"] for each in refused}
        assert "4 processes are kept for you already" in told
        assert "stop one of them first" in told
        # The other client has its own.
        await started(clients.bob)
        processes = (await clients.ada.call("list_processes"))["processes"]
        await clients.ada.call("stop_process", process=processes[0]["process"])
        await clients.ada.call("start_process", program="cat")

    serve(folder, scenario)


# Output and input


def test_output_is_read_page_by_page_and_can_be_read_again(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "printf 'ä€😀'; printf err >&2; read x; printf \"$x\"; exit 3")
        read = clients.ada.call
        first = await read("read_output", process=process, max_bytes=4)
        assert (first["text"], first["offset"], first["next_offset"], first["running"]) == ("ä", 0, 2, True)
        second = await read("read_output", process=process, offset=2, max_bytes=100)
        assert (second["text"], second["next_offset"], second["dropped_bytes"]) == ("€😀", 9, 0)
        assert (await read("read_output", process=process))["text"] == "ä€😀"
        assert (await read("read_output", process=process, stream="stderr", wait=30))["text"] == "err"
        assert (await read("write_input", process=process, text="more\n"))["complete"]
        last = await ended(clients.ada, process)
        assert (last["seen_bytes"], last["reason"], last["exit_code"], last["running"]) == (13, "exit", 3, False)
        assert (await read("read_output", process=process, offset=9))["text"] == "more"
        assert "only 13 bytes" in (await clients.ada.denied("read_output", process=process, offset=14)).message

    serve(folder, scenario)


def test_a_flood_is_kept_within_its_bound_and_holds_nobody_up(folder: Path) -> None:
    size, kept = 8 << 20, 1 << 16

    async def scenario(clients: TwoClients) -> None:
        flood = await started(clients.ada, f"yes 123456789abcdef | head -c {size}")
        # The server answers all the while.
        assert (await clients.bob.call("start_process", program="cat"))["running"]
        ring = clients.sessions.find("ada", flood).started_job.rings["stdout"]
        page = await clients.ada.call("read_output", process=flood, wait=30)
        while page["running"]:
            page = await clients.ada.call("read_output", process=flood, offset=page["seen_bytes"], wait=30)
            assert ring._data.__sizeof__() < 3 * kept
        page = await clients.ada.call("read_output", process=flood, max_bytes=kept)
        assert (page["seen_bytes"], page["dropped_bytes"], page["offset"]) == (size, size - kept, size - kept)
        assert (page["reason"], page["next_offset"]) == ("exit", size)
        assert page["text"] == "123456789abcdef\n" * (kept // 16)

    serve(folder, scenario, limits={"stdout_bytes": kept})


def test_who_does_not_read_is_told_how_much_was_taken(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        # It stands still until it is told to go on, and counts then what it is given.
        process = await started(clients.ada, "echo ready; kill -STOP $$; exec wc -c")
        text, taken = "x" * 60_000, [60_000]
        while taken[-1] == 60_000:
            done = await clients.ada.call("write_input", process=process, text=text)
            assert done["complete"] is (done["taken_characters"] == 60_000)
            taken.append(done["taken_characters"])
        last = await clients.ada.call("write_input", process=process, text=text, close=True)
        assert (last["complete"], last["closed"]) == (False, False)
        assert "more than 65536 bytes" in await refusal(clients.ada, "write_input", process=process, text="x" * 65_537)
        # As much as the pipe holds, and as much again.
        assert sum(taken[1:]) + last["taken_characters"] <= 2 << 16
        assert clients.sessions.find("ada", process).is_running

    serve(folder, scenario)


def test_what_was_taken_arrives(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await clients.ada.call("start_process", program="sh", args=["-c", "wc -c"], stdin="x" * 300_000)
        sent = 300_000
        while sent < 600_000:
            done = await clients.ada.call("write_input", process=process["process"], text="€" * 20_000)
            sent += 3 * done["taken_characters"]
        assert (await clients.ada.call("write_input", process=process["process"], text="", close=True))["closed"]
        await ended(clients.ada, process["process"])
        page = await clients.ada.call("read_output", process=process["process"])
        assert page["text"].split() == [str(sent)]

    serve(folder, scenario)


def test_the_server_goes_on_when_a_process_closes_its_streams(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "echo ready; exec <&- >&- 2>&-; sleep 1000")
        page = await clients.ada.call("read_output", process=process, offset=6, wait=0.2)
        assert (page["text"], page["running"]) == ("", True)
        end = await clients.ada.call("stop_process", process=process)
        assert (end["reason"], end["stdout"]) == ("cancelled", "ready\n")

    serve(folder, scenario)


# B13, B14, E06: nothing is left


ENDS = ["stop", "exit", "timeout", "idle", "shutdown"]


@pytest.mark.parametrize("end", ENDS)
def test_b13_no_daemon_is_left_however_it_ends(
    folder: Path, marker: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    async def scenario(clients: TwoClients) -> None:
        script = with_daemons(marker, "read x; exit 0")
        process = (await clients.ada.call("start_process", program="sh", args=script))["process"]
        found.append(process)
        await clients.ada.call("read_output", process=process, wait=30)
        if end != "timeout":
            assert len(daemons(marker)) == COUNT
        if end == "stop":
            assert (await clients.ada.call("stop_process", process=process))["reason"] == "cancelled"
        elif end == "exit":
            await clients.ada.call("write_input", process=process, text="\n")
            assert (await ended(clients.ada, process))["reason"] == "exit"
        elif end == "timeout":
            assert (await ended(clients.ada, process))["reason"] == "timeout"
        elif end == "idle":
            monkeypatch.setattr(process_sessions, "IDLE_SECONDS", 0.0)
            await clients.sessions.sweep()
            await clients.sessions.end(clients.sessions.find("ada", process))
        if end != "shutdown":
            assert daemons(marker) == []

    clients = serve(folder, scenario, session_seconds=2 if end == "timeout" else 3600)
    assert daemons(marker) == []
    told = {"stop": "cancelled"}.get(end, end)
    assert process_ends(clients) == [("ada", found[0], told)]


SERVER = """
import asyncio, json, sys
from pathlib import Path
from mcp_server.testing import client_for
from mcp_server.tools.modules.execution_module import ExecutionModule

async def main():
    table, programs, arguments = map(json.loads, sys.argv[1:])
    async with client_for(ExecutionModule(), allow=["SYSTEM_COMMAND *"], sandbox=table, programs=programs) as client:
        process = (await client.call("start_process", program="sh", args=arguments))["process"]
        page = await client.call("read_output", process=process, wait=30)
        print(page["text"], flush=True, end="")
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_b14_no_process_outlives_a_server_that_is_killed(folder: Path, marker: str) -> None:
    import json

    words = [sandbox_table(folder.parent), {"sh": PROGRAMS["sh"]}, with_daemons(marker, "wait")]
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, *map(json.dumps, words)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        inside = [PidFd.open(pid) for pid in daemons(marker)]
        assert len(inside) == COUNT
        server.kill()
        server.wait()
    poll = select.poll()
    for each in inside:
        poll.register(each.fileno(), select.POLLIN)
    left = {each.fileno() for each in inside}
    while left and (gone := poll.poll(1000)):
        for number, _ in gone:
            poll.unregister(number)
            left.discard(number)
    for each in inside:
        each.close()
    assert left == set()
    assert daemons(marker) == []


def test_b13_without_namespaces_none_is_left_either(folder: Path, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "there is none here")

    async def scenario(clients: TwoClients) -> None:
        one = f"setsid sh -c 'trap \"\" TERM HUP INT; exec /bin/sleep {marker}' </dev/null >/dev/null 2>&1 &"
        for how in ("stop", "exit"):
            process = await started(clients.ada, f"{one} {one} echo x > a.txt; echo ready; read x", program="wsh")
            await until(lambda: len(daemons(marker)) == 2)
            if how == "exit":
                await clients.ada.call("write_input", process=process, text="\n")
                assert (await ended(clients.ada, process))["reason"] == "exit"
                assert daemons(marker) == []
            end = await clients.ada.call("stop_process", process=process)
            assert (end["isolation"], end["stdout"]) == ("lsm", "ready\n")
            assert daemons(marker) == []

    serve(folder, scenario, ada=[*ALLOW, "FILE_WRITE **"], min_tier="lsm")
    assert (folder.parent / "ada" / "a.txt").read_text() == "x\n"


def test_e06_a_process_outlives_its_call_and_its_callers_next_failure(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada)
        await refusal(clients.ada, "read_output", process="nonsense")
        assert (await clients.ada.call("read_output", process=process))["running"]

    serve(folder, scenario)


def test_a_start_that_is_cancelled_leaves_nothing(folder: Path, marker: str) -> None:
    async def scenario(clients: TwoClients) -> None:
        # The first tells what the machine has, which takes its time.
        await clients.ada.call("stop_process", process=await started(clients.ada))
        client = clients._clients[0]
        for turns in (1, 3, 10, 30, 100):
            start = {"name": "start_process", "arguments": {"program": "wsh", "args": ["-c", f"sleep {marker}"]}}
            request = asyncio.ensure_future(client.request("tools/call", start))
            for _ in range(turns):
                await asyncio.sleep(0)
            number = max(client._waiting)
            client.notify("notifications/cancelled", {"requestId": number, "reason": "never mind"})
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
        await until(lambda: not clients.lifecycle.security.watch.count)
        for each in (await clients.ada.call("list_processes"))["processes"]:
            # What had been started before it could be taken back is there to be stopped.
            await clients.ada.call("stop_process", process=each["process"])
        assert len(clients.sessions) == 0
        assert processes_with(f"sleep\0{marker}\0") == []

    serve(folder, scenario)


def test_no_descriptor_is_left(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        async def round_trip() -> None:
            process = await started(clients.ada, "echo x > new.txt; echo ready; cat", program="wsh")
            await clients.ada.call("write_input", process=process, text="more")
            await clients.ada.call("stop_process", process=process)

        await round_trip()
        # What earlier tests left to the collector is not counted.
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            await round_trip()
        assert len(os.listdir("/proc/self/fd")) == before
        assert list((folder.parent / "staging").iterdir()) == []

    serve(folder, scenario)


# Files


def test_what_it_did_is_written_back_by_the_stop_and_not_before(folder: Path) -> None:
    ada = folder.parent / "ada"

    async def scenario(clients: TwoClients) -> None:
        (ada / "a.txt").write_text("old\n")
        process = await started(
            clients.ada, "cat a.txt; echo new > a.txt; echo x > b.txt; echo x > .env; echo ready; cat", program="wsh"
        )
        await clients.ada.call("write_input", process=process, text="", close=True)
        assert (await ended(clients.ada, process))["reason"] == "exit"
        assert sorted(each.name for each in ada.iterdir()) == ["a.txt"]
        assert (ada / "a.txt").read_text() == "old\n"
        end = await clients.ada.call("stop_process", process=process)
        kinds = {each["path"]: each["kind"] for each in end["effects"]["effects"]}
        assert kinds == {"a.txt": "changed", "b.txt": "created", ".env": "refused"}
        assert end["stdout"] == "old\nready\n"
        assert "no such process" in await refusal(clients.ada, "stop_process", process=process)

    serve(folder, scenario, ada=[*ALLOW, "FILE_WRITE **"])
    assert (ada / "a.txt").read_text() == "new\n"
    assert sorted(each.name for each in ada.iterdir()) == ["a.txt", "b.txt"]


def test_the_rights_are_those_of_the_stop(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "echo x > a.txt; echo x > b.txt; echo ready; cat", program="wsh")
        clients.reload([*ALLOW, "FILE_WRITE b.txt"])
        end = await clients.ada.call("stop_process", process=process)
        kinds = {each["path"]: each["kind"] for each in end["effects"]["effects"]}
        assert kinds == {"a.txt": "refused", "b.txt": "created"}

    serve(folder, scenario, ada=[*ALLOW, "FILE_WRITE **"])
    assert [each.name for each in (folder.parent / "ada").iterdir()] == ["b.txt"]


@pytest.mark.parametrize("how", ["discard", "shutdown", "idle", "revoked"])
def test_who_does_not_collect_leaves_the_files_as_they_are(
    folder: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "echo x > a.txt; echo ready; cat", program="wsh")
        if how == "discard":
            assert "effects" not in await clients.ada.call("stop_process", process=process, discard=True)
        elif how == "idle":
            monkeypatch.setattr(process_sessions, "IDLE_SECONDS", 0.0)
            await clients.sessions.sweep()
            await clients.sessions.end(clients.sessions.find("ada", process))
            await clients.sessions.sweep()
            assert len(clients.sessions) == 0
        elif how == "revoked":
            clients.reload(["FILE_WRITE **"])
            await clients.sessions.sweep()
        if how != "shutdown":
            assert list((folder.parent / "staging").iterdir()) == []

    serve(folder, scenario, ada=[*ALLOW, "FILE_WRITE **"])
    assert list((folder.parent / "ada").iterdir()) == []


def test_copies_of_one_folder_are_not_written_into_another(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "echo x > a.txt; echo ready; cat", program="wsh")
        other = folder.parent / "other"
        (other / "ada").mkdir(parents=True)
        (other / "bob").mkdir()
        clients.directory = other
        clients.reload([*ALLOW, "FILE_WRITE **"])
        assert "another folder" in await refusal(clients.ada, "stop_process", process=process)
        assert "effects" not in await clients.ada.call("stop_process", process=process, discard=True)
        assert list((other / "ada").iterdir()) == []

    serve(folder, scenario, ada=[*ALLOW, "FILE_WRITE **"])
    assert list((folder.parent / "ada").iterdir()) == []


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("agrees", [True, False])
def test_a_human_is_asked_when_it_is_stopped(folder: Path, revision: str, agrees: bool) -> None:
    asked: list[str] = []

    async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(params["message"])
        return {"action": "accept", "content": {"allow": True}} if agrees else {"action": "decline"}

    async def main() -> None:
        async with client_for(
            ExecutionModule(),
            folder=folder,
            allow=ALLOW,
            ask=["FILE_WRITE *.txt"],
            sandbox=sandbox_table(folder.parent),
            programs=PROGRAMS,
            answer=answer,
            revision=revision,
        ) as client:
            process = await started(client, "echo $$ > a.txt; echo ready; cat", program="wsh")
            assert asked == []
            if agrees:
                end = await client.call("stop_process", process=process)
                assert end["effects"]["created"] == 1
            else:
                assert "declined" in (await client.denied("stop_process", process=process)).message
                # It is stopped, and still there.
                page = await client.call("read_output", process=process)
                assert (page["text"], page["reason"]) == ("ready\n", "cancelled")
                await client.call("stop_process", process=process, discard=True)
            assert (await client.call("list_processes")) == {"processes": []}

    asyncio.run(main())
    assert len(asked) == 1
    assert (folder / "a.txt").exists() is agrees


def test_two_stops_at_once_write_back_once(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada, "echo x > a.txt; echo ready; cat", program="wsh")
        results = await asyncio.gather(*(clients.ada.result("stop_process", process=process) for _ in range(5)))
        assert [each.get("isError", False) for each in results].count(False) == 1

    serve(folder, scenario, ada=[*ALLOW, "FILE_WRITE **"])
    assert (folder.parent / "ada" / "a.txt").read_text() == "x\n"


# Results and records


def test_every_use_is_a_call_on_record_with_its_tier_and_decision(folder: Path) -> None:
    async def scenario(clients: TwoClients) -> None:
        process = await started(clients.ada)
        await clients.ada.call("write_input", process=process, text="x")
        result = await clients.ada.result("stop_process", process=process)
        assert result["_meta"]["dev.mcpserver/isolation"] in ("lsm", "ns", "full")

    clients = serve(folder, scenario)
    done = {each.tool: each.fields for each in clients.audit if each.kind == "call.done"}
    assert set(done) == {"start_process", "read_output", "write_input", "stop_process"}
    for fields in done.values():
        assert fields["need"] == [["SYSTEM_COMMAND", f"sh -c '{FOREVER}'", "ada.allow[0]"]]
        assert fields["tier"] in ("lsm", "ns", "full")
    (end,) = (each.fields for each in clients.audit if each.kind == "process.end")
    assert (end["program"], end["tier"]) == ("sh", done["start_process"]["tier"])
