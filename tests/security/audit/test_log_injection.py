"""Text that would like to be a record, a line, a colour or another direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.record_formatter import RecordFormatter
from mcp_server.security.audit_logger import AuditLogger

EVIL = [
    "a\nb",
    "a\r\nb",
    "a\rb",
    '\n{"kind":"auth.ok","seq":99}\n',
    '","x_prev":"' + "0" * 64 + '"}\n',
    "\x1b[2J\x1b[1;31mred",
    "\x9b31m",
    "\x00\x07\x08\x7f",
    "a\u2028b\u2029c",
    "a\x85b\x0bc\x0cd",
    "\u202etxt.exe\u202c",
    "\u2066a\u2069\u200f\u061c",
    "\ufeff\u200b\u00ad",
    "\ue000\U000e0041",
    "\ud800 lone",
    "\\n is not a newline",
]
FIELDS = [
    "args",
    "auth",
    "call",
    "client",
    "conn",
    "decision",
    "err",
    "need",
    "peer",
    "policy",
    "req_id",
    "tool",
    "trace",
]
FORBIDDEN = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067",
]
FORBIDDEN += [*"\u2068\u2069\u200e\u200f\u061c\ufeff\u200b"]


@pytest.mark.parametrize("field", FIELDS)
def test_no_field_can_begin_a_line_or_move_the_cursor(make_log: Callable[..., AuditLogger], field: str) -> None:
    log = make_log()
    log.open()
    for text in EVIL:
        for value in (text, [text], {text: text}):
            log.append("call.done", {field: value})
    log.close()
    data = (log._path / "00000000.jsonl").read_bytes()
    assert data.count(b"\n") == 3 * len(EVIL) + 2
    assert not any(byte < 0x20 and byte != 0x0A for byte in data)
    assert AuditVerifier().verify(log._path, deep=True).is_intact
    for record in AuditReader(log._path).records():
        line = RecordFormatter().format(record)
        assert not any(character in line for character in FORBIDDEN), line
        assert line.isprintable()


def test_what_was_there_can_be_told_from_the_escaped_text() -> None:
    shown = {RecordFormatter().format({"tool": text}) for text in ["a\nb", "a\\nb", "a\\\\nb"]}
    assert len(shown) == 3


@pytest.mark.parametrize("text", EVIL)
def test_arguments_and_names_of_arguments(make_log: Callable[..., AuditLogger], text: str) -> None:
    log = make_log()
    log.open()
    arguments: dict[str, Any] = {"path": text, text: text, "n": [text]}
    log.append("call.intent", {"call": "c", "args": log.digest_arguments(arguments, ["path"])})
    log.close()
    assert (log._path / "00000000.jsonl").read_bytes().count(b"\n") == 4
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_negative_control_a_log_of_plain_text_is_fooled() -> None:
    lines = "".join(f"{text} was called\n" for text in EVIL).splitlines()
    assert len(lines) > len(EVIL)
