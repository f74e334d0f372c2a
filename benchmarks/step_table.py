"""Which part of the code belongs to which step of a call."""

from __future__ import annotations

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "read: frame, decode, check",
        ("protocol/jsonrpc/jsonrpc_codec.py:decode", "protocol/jsonrpc/jsonrpc_codec.py:parse"),
    ),
    ("read: frame, decode, check", ("protocol/jsonrpc/json_guard.py", "protocol/jsonrpc/envelope.py")),
    ("read: frame, decode, check", ("protocol/jsonrpc/line_framer.py", "protocol/jsonrpc/request_meta.py")),
    ("1 authenticate", ("security/authentication", "security/client_manager.py:record")),
    ("1 authenticate", ("security/permission_manager.py:profile",)),
    (
        "2 permit",
        ("security/call_gate.py", "security/permission", "security/client_view.py", "security/client_manager.py"),
    ),
    ("2 permit", ("security/security_chain.py:view_of", "security/consent", "security/prepared_call.py")),
    ("3 sandbox", ("resources/filesystem/pinned_file.py", "resources/filesystem/path", "resources/filesystem/root")),
    ("3 sandbox", ("resources/kernel/", "resources/filesystem/openat2", "resources/filesystem/walking")),
    ("3 sandbox", ("security/security_chain.py:_pin", "security/security_chain.py:_wanted")),
    ("4 execute: file doors", ("resources/", "security/doors/")),
    ("4 execute: validate, run, build the result", ("tools/", "security/client_context.py", "benchmarks/")),
    ("5 audit", ("security/audit", "security/call_recorder.py")),
    ("the chain itself: deadlines, order, clean-up", ("security/",)),
    ("answer: project, encode, send", ("protocol/revisions/", "protocol/handlers/tools_handler.py:finish_call")),
    (
        "answer: project, encode, send",
        ("protocol/jsonrpc/", "protocol/sessions/connection.py", "client/memory_channel.py"),
    ),
    (
        "answer: project, encode, send",
        ("protocol/sessions/exchange.py:answer", "protocol/sessions/exchange.py:project"),
    ),
    ("route: session, exchange, plan", ("protocol/",)),
    ("event loop and tasks", ("asyncio/",)),
)
"""Beginnings of `file:function` below the package, the first that fits; a file of the standard library that is not
named here belongs to whoever called it."""


def step_of(place: str) -> str | None:
    """Return the step of a place in the code, None when it belongs to its caller.

    Args:
        place: `file:function`, the file as the interpreter knows it.
    """
    for root in ("/mcp_server/", "/benchmarks/", "/asyncio/"):
        _, found, below = place.rpartition(root)
        if found:
            name = below if root == "/mcp_server/" else root[1:] + below
            return next((step for step, starts in STEPS if name.startswith(starts)), None)
    return None
