"""Whatever writes to standard output, or reads standard input, is kept away from the protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.stdio.raw_server import RawServer, serve_command, server_environment
from tests.support.everything_server import NOISE, Noise

NOISY_MODULE = """
import os
import subprocess
import sys

from mcp_server import Module

print("noise at import", flush=True)
os.write(1, b"noise at import, by descriptor\\n")
subprocess.run(["echo", "noise at import, by a child"], check=True)
sys.stdout.write("noise that stays in the buffer until the end")

noisy = Module("noisy")


@noisy.on_start
def start():
    print("noise at start", flush=True)


@noisy.on_stop
def stop():
    print("noise at stop", flush=True)


@noisy.tool
async def quiet() -> str:
    "Say something, properly."
    return "properly"
"""


@pytest.mark.parametrize("how", list(Noise))
def test_what_a_handler_writes_goes_to_standard_error(server: RawServer, how: Noise) -> None:
    # Every line of the server is checked against the schema, so noise on the pipe would fail here.
    assert server.text("noise", how=how.value) == f"made {how}"
    assert server.text("echo", text="clean") == "clean"
    assert server.stop() == 0
    assert NOISE in server.stderr()


def test_what_a_module_writes_at_import_start_and_stop_goes_to_standard_error(
    start: Callable[..., RawServer], tmp_path: Path
) -> None:
    (tmp_path / "noisy_module.py").write_text(NOISY_MODULE, encoding="utf-8")
    server = start(
        command=serve_command(tmp_path, "--module", "noisy_module"), environment=server_environment(tmp_path)
    )
    server.initialize()
    assert server.text("quiet") == "properly"
    assert server.stop() == 0
    told = server.stderr()
    for noise in ("import\n", "import, by descriptor\n", "import, by a child\n", "start\n", "stop\n"):
        assert f"noise at {noise}" in told
    assert "noise that stays in the buffer until the end" in told


def test_handlers_and_their_children_find_an_empty_standard_input(server: RawServer) -> None:
    # The ping stands on the pipe already when the handler reads: it must still be there for the server.
    call = server.start_call("steal_input")
    ping = server.request("ping")
    assert server.answer(call)["result"]["content"][0]["text"] == "0 0 0"
    assert server.answer(ping)["result"] == {}
    assert server.stop() == 0


def test_children_inherit_neither_end_of_the_protocol(server: RawServer) -> None:
    process = Path(f"/proc/{server.process.pid}/fd")
    pipes = {(process / each.name).readlink() for each in process.iterdir() if each.name not in ("0", "1", "2")}
    ours = {str(pipe) for pipe in pipes if str(pipe).startswith("pipe:")}
    assert len(ours) == 2
    listing = server.text("inherited")
    assert not [pipe for pipe in ours if pipe in listing]
    # Nor anything else: no audit log, no folder, no socket of the event loop.
    assert [line.split()[-3] for line in listing.splitlines()[1:]] == ["0", "1", "2", "3"]
    assert server.stop() == 0


def test_the_protocol_is_utf_8_whatever_the_locale_says(start: Callable[..., RawServer]) -> None:
    environment = server_environment(LC_ALL="C", LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    server = start(environment={**environment, "PYTHONIOENCODING": "ascii:strict"})
    server.initialize()
    assert server.text("echo", text="grüße 🎈 \u2028") == "grüße 🎈 \u2028"
    assert server.stop() == 0
