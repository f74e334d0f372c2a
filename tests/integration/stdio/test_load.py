"""Many requests at once, slow readers, blocking handlers: protocol messages never queue behind tools."""

from __future__ import annotations

import selectors
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.stdio.raw_server import PATIENCE_SECONDS, RawServer, script_command, text_of

IN_FLIGHT = 64
PAYLOAD_BYTES = 512 * 1024
BLANK_LINES_BYTES = 64 * 1024 * 1024
"""Far more than pipes and reads hold. The server ignores blank lines; one that takes all of these never stops."""


def resident_kibibytes(pid: int) -> int:
    """What the process holds of memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def threads(pid: int) -> int:
    """How many threads the process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def hold_many(server: RawServer, count: int) -> list[int]:
    """Start so many calls that wait; return their ids once all of them do."""
    ids = [server.start_call("hold", label=f"label {number}") for number in range(count)]
    holding: set[str] = set()
    while len(holding) < count:
        holding.add(server.notification("notifications/message")["params"]["data"])
    return ids


def test_protocol_messages_are_answered_while_64_tools_are_busy(server: RawServer) -> None:
    held = hold_many(server, IN_FLIGHT)
    assert server.result("ping") == {}
    assert server.result("tools/list")["tools"]
    assert server.result("resources/templates/list")["resourceTemplates"]
    assert server.result("prompts/list")["prompts"]
    assert server.result("logging/setLevel", {"level": "info"}) == {}
    assert server.result("server/discover", modern={})["resultType"] == "complete"
    # Taking one back makes room, and the slot is the next one's.
    waiting = server.start_call("echo", text="behind them")
    server.notify("notifications/cancelled", {"requestId": held[0]})
    assert text_of(server.answer(waiting)) == "behind them"
    for number in range(1, IN_FLIGHT):
        server.notify("notifications/cancelled", {"requestId": held[number]})
    assert server.text("ended_labels").count("label") == IN_FLIGHT
    assert [message for message in server.kept if message.get("id") in held] == []
    assert server.stop() == 0


def test_resources_are_listed_while_64_tools_are_busy(server: RawServer) -> None:
    hold_many(server, IN_FLIGHT)
    assert server.result("resources/list")["resources"]


def test_requests_past_those_in_flight_wait_and_are_all_answered(server: RawServer) -> None:
    held = hold_many(server, IN_FLIGHT)
    waiting = [server.start_call("echo", text=f"echo {number}") for number in range(100)]
    assert server.result("ping") == {}
    assert [message for message in server.kept if "result" in message] == []
    # One that waits can be taken back too.
    server.notify("notifications/cancelled", {"requestId": waiting[50]})
    for request_id in held:
        server.notify("notifications/cancelled", {"requestId": request_id})
    for number, request_id in enumerate(waiting):
        if number != 50:
            assert text_of(server.answer(request_id)) == f"echo {number}"
    assert server.result("ping") == {}
    assert [message for message in server.kept if message.get("id") == waiting[50]] == []
    assert server.stop() == 0


def test_too_many_waiting_requests_are_refused_and_not_kept(server: RawServer) -> None:
    held = hold_many(server, IN_FLIGHT)
    waiting = [server.start_call("echo", text="one of many") for _ in range(1024)]
    refused = server.answer(server.start_call("echo", text="one too many"))
    assert refused["error"]["code"] == 4290
    assert server.result("ping") == {}
    # In this order none of them ever runs, which would count against the calls of a minute.
    for request_id in (*waiting, *held):
        server.notify("notifications/cancelled", {"requestId": request_id})
    assert server.text("echo", text="room again") == "room again"
    assert server.stop() == 0


def test_blocking_handlers_leave_the_loop_free(server: RawServer) -> None:
    blocking = [server.start_call("hold_thread", label=f"thread {number}") for number in range(20)]
    assert server.result("ping") == {}
    assert server.text("echo", text="meanwhile") == "meanwhile"
    # One client's blocking calls leave threads for others: eight at a time.
    assert threads(server.process.pid) <= 8 + 4
    for number in range(20):
        server.text("release", label=f"thread {number}")
    answers = [text_of(server.answer(request_id)) for request_id in blocking]
    assert answers == [f"thread {number} off the loop: True" for number in range(20)]
    assert server.stop() == 0


def test_a_blocking_handler_learns_that_its_call_was_taken_back(server: RawServer) -> None:
    blocking = server.start_call("hold_thread", label="mine")
    assert server.text("wait_until", label="mine", what="begun") == "true"
    server.notify("notifications/cancelled", {"requestId": blocking})
    assert server.text("wait_until", label="mine", what="ended") == "true"
    assert [message for message in server.kept if message.get("id") == blocking] == []
    assert server.stop() == 0


def test_a_long_calculation_on_the_loop_is_interleaved_with_the_protocol(server: RawServer) -> None:
    long = server.start_call("long_running", steps=20_000)
    assert server.result("ping") == {}
    assert not [message for message in server.kept if message.get("id") == long], "the ping was answered first"
    assert text_of(server.answer(long)) == "20000 steps"
    assert server.stop() == 0


def test_a_client_that_does_not_read_stops_being_read_and_memory_is_bounded(server: RawServer) -> None:
    assert server.text("payload", size=1) == "x"
    before = resident_kibibytes(server.process.pid)
    # 256 answers of half a megabyte: sixteen times what is kept for a client that does not read.
    line = '{{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":"payload","arguments":{{"size":{}}}}}}}\n'
    ids = range(1000, 1256)
    for request_id in ids:
        server.expect(request_id, "tools/call")
    # Each a byte longer than the one before: the same call that often would be taken for a loop.
    sizes = [PAYLOAD_BYTES + number for number in range(len(ids))]
    requests = [line.format(request_id, size) for request_id, size in zip(ids, sizes, strict=True)]
    server.send_bytes("".join(requests).encode())
    write_until_blocked(server)
    grown = resident_kibibytes(server.process.pid) - before
    assert grown < 96 * 1024, f"{grown} KiB more"
    # Reading again gets every answer, and the server reads again too.
    assert [len(text_of(server.answer(request_id))) for request_id in ids] == sizes
    assert server.text("echo", text="all read") == "all read"
    assert server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, None])
def test_a_client_that_never_reads_again_does_not_keep_the_server(
    start: Callable[..., RawServer], tmp_path: Path, number: signal.Signals | None
) -> None:
    server = start(command=script_command(tmp_path, "--grace", "0.2"))
    server.initialize()
    for _ in range(40):
        server.start_call("payload", size=PAYLOAD_BYTES)
    write_until_blocked(server)
    if number is None:
        server.close_input()
    else:
        server.process.send_signal(number)
    assert server.process.wait(PATIENCE_SECONDS) == (0 if number is None else 4)
    server.check_audit("end of input" if number is None else "signal")


def test_a_slow_reader_gets_every_answer_although_its_input_has_ended(server: RawServer) -> None:
    # As `cat requests | server | slow consumer`: the end of input stands behind requests that are unread yet.
    calls = [server.start_call("payload", size=PAYLOAD_BYTES) for _ in range(40)]
    write_until_blocked(server)
    server.close_input()
    assert [len(text_of(server.answer(request_id))) for request_id in calls] == [PAYLOAD_BYTES] * 40
    assert server.wait() == 0
    server.check_audit()


@pytest.mark.parametrize("size", [1, 65_536, 1_000_000])
def test_payloads_of_any_size_come_back_as_they_went(server: RawServer, size: int) -> None:
    text = ('grüße 🎈\\"\n\t' * (size // 16 + 1))[: max(1, size // 2)]
    assert server.text("echo", text=text) == text
    assert server.stop() == 0


def write_until_blocked(server: RawServer) -> None:
    """Write blank lines until the server has taken none for a while."""
    assert server.process.stdin is not None
    descriptor = server.process.stdin.fileno()
    piece = b"\n" * 4096
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_WRITE)
        for _ in range(BLANK_LINES_BYTES // len(piece)):
            # A pipe that is writable takes at least this much at once.
            if not selector.select(0.3):
                return
            server.send_bytes(piece)
    raise AssertionError("the server goes on reading although its answers are not read")
