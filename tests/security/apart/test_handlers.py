"""What a handler that was taken over reaches from a process of its own, and what it would reach from the server's."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from mcp_server.testing import ModuleClient
from tests.security.apart.apart_rig import ApartRig

EVERYTHING = ("FILE_READ **", "FILE_WRITE **", "FILE_DELETE **", "CODE_EXECUTION python", "NETWORK_CONNECT 127.0.0.1:9")


def only_inline(rig: ApartRig, tool: str, expected: Any, **arguments: Any) -> bool:
    """Whether an attack reaches its aim in the server's own process, and does not from one of its own."""
    assert rig.reached(tool, isolation="inline", **arguments) == expected
    return rig.reached(tool, isolation="process", **arguments) != expected


@pytest.mark.parametrize("name", ["outside", "other"])
def test_a_file_that_was_not_granted_is_not_there(rig: ApartRig, name: str) -> None:
    path: Path = getattr(rig, name)
    assert only_inline(rig, "read", path.read_text(encoding="utf-8"), path=str(path))


def test_a_tool_that_declares_nothing_does_not_even_find_what_its_client_may_read(rig: ApartRig) -> None:
    assert only_inline(rig, "read", "what was granted", path=str(rig.granted))


@pytest.mark.parametrize("name", ["outside", "other", "second"])
def test_what_one_argument_names_opens_nothing_beside_it(rig: ApartRig, name: str) -> None:
    second = rig.folder / "granted too.txt"
    second.write_text("what other calls may read", encoding="utf-8")
    second.chmod(0o666)
    path: Path = {"outside": rig.outside, "other": rig.other, "second": second}[name]
    assert only_inline(rig, "read_beside", path.read_text(encoding="utf-8"), source="granted.txt", path=str(path))


def test_what_was_granted_is_found_under_its_own_name(rig: ApartRig) -> None:
    for path in ("granted.txt", str(rig.granted)):
        assert (
            rig.reached("read_beside", isolation="process", source="granted.txt", path=str(rig.granted))
            == rig.reached("read_beside", isolation="inline", source=path, path=str(rig.granted))
            == "what was granted"
        )


def test_files_of_the_system_that_tell_of_the_host_are_others(rig: ApartRig) -> None:
    host = Path("/etc/passwd").read_text(encoding="utf-8")
    assert only_inline(rig, "read", host, path="/etc/passwd")


def test_nothing_is_written_anywhere(rig: ApartRig) -> None:
    for path in (rig.outside, rig.other, rig.granted, rig.folder / "new.txt", rig.directory / "new.txt"):
        before = path.read_text(encoding="utf-8") if path.exists() else None
        assert rig.reached("write", isolation="process", path=str(path)) is None
        assert (path.read_text(encoding="utf-8") if path.exists() else None) == before
        # The control comes last: it does write.
        assert rig.reached("write", isolation="inline", path=str(path)) == "written"
        assert path.read_text(encoding="utf-8") == "written"


def test_what_may_be_read_is_not_changed(rig: ApartRig) -> None:
    given = {"source": "granted.txt", "path": str(rig.granted)}
    assert rig.reached("write_beside", isolation="process", **given) is None
    assert rig.granted.read_text(encoding="utf-8") == "what was granted"
    assert rig.reached("write_beside", isolation="inline", **given) == "written"
    assert rig.granted.read_text(encoding="utf-8") == "written"


def test_the_environment_of_the_server_is_nowhere(rig: ApartRig, monkeypatch: pytest.MonkeyPatch) -> None:
    word = secrets.token_hex(16)
    monkeypatch.setenv("SERVER_SECRET", word)
    assert only_inline(rig, "variable", word, name="SERVER_SECRET")
    # In the server's own process, and in the processes that this one is the parent of.
    own = Path("/proc/self/environ").read_bytes().split(b"\0")[0].decode()
    assert int(rig.reached("environments", isolation="inline", word=own)) >= 1
    assert rig.reached("environments", isolation="process", word=own) == "0"


def test_one_call_leaves_nothing_for_the_next(rig: ApartRig) -> None:
    async def twice(client: ModuleClient) -> list[int]:
        return [int(await client.call("memory", word="secret of one call")) for _ in range(2)]

    first, second = rig.run(twice, isolation="inline")
    assert second == first + 1
    assert rig.run(twice) == [1, 1]


def test_no_program_is_started(rig: ApartRig) -> None:
    assert only_inline(rig, "execute", "reached", program="/bin/echo")


def test_no_process_is_left_behind(rig: ApartRig) -> None:
    assert only_inline(rig, "fork", "forked")


def test_no_server_of_the_machine_is_reached(rig: ApartRig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answered = threading.Thread(target=_answer_once, args=(listener,), daemon=True)
        answered.start()
        assert rig.reached("connect", isolation="process", port=port) is None
        assert rig.reached("connect", isolation="inline", port=port) == "reached"
        answered.join(10)


def _answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"reached")


def test_no_other_process_is_signalled(rig: ApartRig) -> None:
    got = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: got.set())
    try:
        assert rig.reached("send_signal", isolation="process", pid=os.getpid()) is None
        assert not got.is_set()
        assert rig.reached("send_signal", isolation="inline", pid=os.getpid()) == "sent"
        assert got.wait(10)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_nothing_of_the_server_is_open(rig: ApartRig) -> None:
    word = secrets.token_hex(16)
    with tempfile.TemporaryFile() as secret:
        secret.write(word.encode())
        secret.flush()
        os.set_inheritable(secret.fileno(), True)
        assert int(rig.reached("descriptors", isolation="inline", word=word)) >= 1
        assert rig.reached("descriptors", isolation="process", word=word) == "0"


def test_nothing_of_the_server_is_in_memory(rig: ApartRig) -> None:
    word = secrets.token_hex(16)
    # With a list in it, for the collector does not know dictionaries of texts alone.
    kept = {"secret_of_the_server": word, "tracked": []}
    assert int(rig.reached("objects", isolation="inline", word=word)) >= 1
    assert rig.reached("objects", isolation="process", word=word) == "0"
    assert kept


def test_the_tier_is_told_and_on_record(rig: ApartRig) -> None:
    async def act(client: ModuleClient) -> tuple[Any, Any]:
        result = await client.result("memory", word="x")
        return result["_meta"]["dev.mcpserver/isolation"], client.audit[-1].fields["tier"]

    told, recorded = rig.run(act)
    assert told == recorded
    assert told in ("ns", "full")


@pytest.mark.parametrize("kind", ["write", "delete", "code", "http"])
def test_a_door_that_the_tool_does_not_declare_stays_shut(rig: ApartRig, kind: str) -> None:
    async def act(client: ModuleClient) -> tuple[str, Any]:
        denial = await client.denied("use_undeclared", kind=kind)
        return denial.message, client.audit[-1].fields["decision"]

    text, decision = rig.run(act, allow=EVERYTHING)
    assert "not declared" in text
    assert decision == "deny"
    assert rig.granted.exists()


@pytest.mark.parametrize(("kind", "words"), [("read", "not declared"), ("escape", "leads out of")])
def test_a_refusal_from_afar_reads_like_one_from_here(rig: ApartRig, kind: str, words: str) -> None:
    async def act(client: ModuleClient) -> Any:
        denial = await client.denied("use_undeclared", kind=kind)
        fields = dict(client.audit[-1].fields)
        return denial, [fields.get(name) for name in ("err", "decision", "need")]

    there, here = rig.run(act, isolation="process"), rig.run(act, isolation="inline")
    assert there == here
