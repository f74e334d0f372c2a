"""Canaries: secrets go in everywhere and may come out nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.audit_logger import AuditLogger

CANARY = "canary-7f3a9c"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{CANARY.replace('-', '_')}xxxxxx.c2ln"


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": CANARY},
        {"password": CANARY},
        {"password": [CANARY, {"deep": CANARY}]},
        {"auth": {"user": CANARY}},
        {"headers": {"Authorization": f"Bearer {CANARY}"}},
        {"headers": [{"name": "Cookie", "value": CANARY}]},
        {"body": {"a": [{"b": [{"c": CANARY}]}]}},
        {"body": [CANARY] * 500},
        {"text": CANARY * 10_000},
        {CANARY * 10: "long name"},
        {"path": f"https://user:{CANARY}@example.org/"},
        {"path": JWT},
        {"token": 4711, "pin": 4711},
    ],
    ids=lambda arguments: str(arguments)[:40],
)
def test_canary_is_in_no_file_of_the_log(
    make_log: Callable[..., AuditLogger], tmp_path: Path, arguments: dict[str, Any]
) -> None:
    log = make_log()
    log.open()
    log.append("call.intent", {"call": "c", "args": log.digest_arguments(arguments, ["path"])})
    log.close()
    for path in (tmp_path / "audit").iterdir():
        data = path.read_bytes()
        assert CANARY.encode() not in data
        assert CANARY.replace("-", "_").encode() not in data
        assert b":4711" not in data


def test_negative_control_a_bound_value_is_told(make_log: Callable[..., AuditLogger], tmp_path: Path) -> None:
    log = make_log()
    log.open()
    log.append("call.intent", {"call": "c", "args": log.digest_arguments({"path": CANARY}, ["path"])})
    assert CANARY.encode() in (tmp_path / "audit" / "00000000.jsonl").read_bytes()


def test_same_text_has_another_digest_in_another_log(make_log: Callable[..., AuditLogger], tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        log = make_log(directory=tmp_path / name)
        log.open()
        digests.append(log.digest_arguments({"text": "yes"})["text"]["hmac"])
    assert digests[0] != digests[1]
