"""What a model is told of a process that outlives its calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp_server.resources.isolation.output_page import OutputPage
from mcp_server.resources.isolation.process_end import ProcessEnd
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.tools.modules.execution_report import how_it_ended, printed
from mcp_server.tools.tool_result import ToolResult


def report_start(state: ProcessState) -> ToolResult:
    """Return what was started."""
    return _result([f"process {state.id} was started"], _entry(state))


def report_page(page: OutputPage) -> ToolResult:
    """Return a part of the output, followed by how the process is."""
    state = page.process
    status = [_status(state), f"next offset {page.next_offset} of {page.seen_bytes}"]
    if page.dropped_bytes:
        status.append(f"{page.dropped_bytes} bytes before offset {page.offset} are not kept any more")
    structured = {
        "text": page.text,
        "offset": page.offset,
        "next_offset": page.next_offset,
        "seen_bytes": page.seen_bytes,
        "dropped_bytes": page.dropped_bytes,
        **_ending(state),
    }
    return _result([page.text, f"[{'; '.join(status)}]"], structured)


def report_input(text: str, taken: int, *, close: bool) -> ToolResult:
    """Return how much of a text was taken."""
    is_complete = taken == len(text)
    words = "all of it was taken" if is_complete else f"it does not read; send on from character {taken} later"
    structured = {"taken_characters": taken, "complete": is_complete, "closed": close and is_complete}
    return _result([words], structured)


def report_end(end: ProcessEnd) -> ToolResult:
    """Return how a process ended, and what it did to the files."""
    parts = [*printed(end.stdout.text, end.stderr.text), f"[{_status(end.process)}]"]
    structured = {**_entry(end.process), "stdout": end.stdout.text, "stderr": end.stderr.text}
    if len(end.effects):
        structured["effects"] = end.effects.to_wire()
        parts.append(f"[files: {end.effects.summary}]")
    return _result(parts, structured)


def report_list(states: Sequence[ProcessState]) -> ToolResult:
    """Return the processes of a client."""
    lines = [f"{state.id} {state.program}: {_status(state)}" for state in states]
    return _result(["\n".join(lines) or "none"], {"processes": [_entry(state) for state in states]})


def _result(parts: Sequence[str], structured: dict[str, Any]) -> ToolResult:
    text = "\n".join(part for part in parts if part)
    return ToolResult(({"type": "text", "text": text},), structured=structured)


def _status(state: ProcessState) -> str:
    return "running" if state.running else how_it_ended(state.reason, state.exit_code, state.signal)


def _ending(state: ProcessState) -> dict[str, Any]:
    return {
        "running": state.running,
        "reason": None if state.reason is None else str(state.reason),
        "exit_code": state.exit_code,
        "signal": state.signal,
    }


def _entry(state: ProcessState) -> dict[str, Any]:
    return {
        "process": state.id,
        "program": state.program,
        "args": list(state.arguments),
        **_ending(state),
        "seconds": round(state.seconds, 3),
        "stdout_bytes": state.stdout_bytes,
        "stderr_bytes": state.stderr_bytes,
        "isolation": state.tier.label,
    }
