from __future__ import annotations

from mcp_server.security.audit.record_formatter import RecordFormatter, escape_text


def test_line_tells_the_call() -> None:
    record = {
        "seq": 12,
        "ts": "2026-11-21T14:00:00.123456Z",
        "kind": "call.done",
        "client": "local",
        "tool": "read_file",
        "decision": "allow",
        "dur_us": 1500,
        "args": {"path": "/a b"},
        "stream": "main",
        "v": 1,
        "x_prev": "0",
    }
    assert RecordFormatter().format(record) == (
        "2026-11-21T14:00:00.123456Z #12 call.done client=local tool=read_file decision=allow 1.5ms "
        'args={"path":"/a b"}'
    )


def test_damaged_record_is_shown_as_far_as_it_goes() -> None:
    assert RecordFormatter().format({"kind": "unreadable", "raw": "\ud800\n"}) == "- #- unreadable raw=\\ud800\\n"
    assert RecordFormatter().format({"seq": float("nan"), "kind": ["\ud800"]}) == "- #nan ['\\\\ud800']"


def test_escape_leaves_ordinary_text_alone() -> None:
    assert escape_text("grüße 世界 😀 a b") == "grüße 世界 😀 a b"
