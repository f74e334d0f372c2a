from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mcp_server.resources.isolation import gated_start


def start(word: bytes, *command: str) -> tuple[int, str]:
    """Start something behind the gate, say a word, and return how it ended and what it wrote."""
    gate, hand = os.pipe()
    arguments = [sys.executable, "-I", "-S", gated_start.__file__, str(gate), *command]
    with subprocess.Popen(
        arguments, pass_fds=[gate], env={"PATH": "/usr/bin", "MORE": "x"}, stdout=subprocess.PIPE, text=True
    ) as process:
        os.close(gate)
        os.write(hand, word)
        os.close(hand)
        out, _ = process.communicate()
    return process.returncode, out


def test_with_the_word_it_becomes_the_program() -> None:
    assert start(gated_start.WORD, "/usr/bin/echo", "a b", "$HOME") == (0, "a b $HOME\n")


def test_the_program_has_a_path_and_nothing_else() -> None:
    assert start(gated_start.WORD, "/usr/bin/env") == (0, "PATH=/usr/bin\n")


def test_no_signal_is_ignored_that_an_interpreter_ignores() -> None:
    status = dict(
        line.split(":\t") for line in start(gated_start.WORD, "/usr/bin/cat", "/proc/self/status")[1].splitlines()
    )
    # Two signals are the C library's own: nobody can set them, so they are as whoever started the tests left them.
    assert int(status["SigIgn"], 16) & ~(1 << 31 | 1 << 32) == 0


@pytest.mark.parametrize("word", [b"", b"g", b"no"])
def test_without_the_word_it_becomes_nothing(word: bytes) -> None:
    assert start(word, "/usr/bin/echo", "no") == (1, "")
