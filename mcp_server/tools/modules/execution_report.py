"""What a model is told of a sandboxed run."""

from __future__ import annotations

from typing import Any, Final

from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.tools.tool_result import ToolResult

REPORT_SCHEMA: Final = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "enum": [each.value for each in EndReason], "description": "What ended it."},
        "exit_code": {"type": ["integer", "null"], "description": "Its exit code, when it ended by itself."},
        "signal": {"type": ["integer", "null"], "description": "The signal that ended it, when one did."},
        "stdout": {"type": "string", "description": "What it printed; a gap is marked where it was too much."},
        "stderr": {"type": "string", "description": "What it complained of."},
        "truncated": {"type": "boolean", "description": "Whether a part of the output was left out."},
        "seconds": {"type": "number", "description": "How long it took."},
        "cpu_seconds": {"type": ["number", "null"], "description": "Processor time, where it is known."},
        "peak_memory_bytes": {"type": ["integer", "null"], "description": "Its largest memory, where it is known."},
        "isolation": {"type": "string", "description": "How well it was contained."},
        "effects": {"type": "object", "description": "What became of the client's files, where it worked on them."},
    },
    "required": ["reason", "exit_code", "signal", "stdout", "stderr", "truncated", "seconds", "isolation"],
}
"""The shape of the structured result."""

_ADVICE: Final = {
    EndReason.TIMEOUT: "it took longer than it may and was stopped; do less at once, or give a longer timeout",
    EndReason.CPU: "it used more processor time than it may and was stopped; do less at once",
    EndReason.MEMORY: "it used more memory than it may and was stopped; work on smaller parts",
    EndReason.OUTPUT: "it wrote far more than can be shown and was stopped; print less",
    EndReason.POLICY: "it was stopped for trying what the sandbox does not allow",
    EndReason.CANCELLED: "it was taken back",
    EndReason.IDLE: "nobody used it for too long, so it was stopped",
    EndReason.REVOKED: "it is permitted no more and was stopped",
    EndReason.SHUTDOWN: "the server ended",
}


def report(result: ExecutionResult, effects: EffectLedger | None = None) -> ToolResult:
    """Return the result as text for a model, and as structured values.

    Args:
        result: What became of the run.
        effects: What became of the client's files, where the run worked on copies of them.

    A program that fails is not a failed call: how it failed is what was asked for.
    """
    stdout, stderr = result.stdout.text(), result.stderr.text()
    parts = printed(stdout, stderr)
    if not result.is_success or not parts:
        parts.append(f"[{how_it_ended(result.reason, result.exit_code, result.signal)}]")
    structured: dict[str, Any] = {
        "reason": str(result.reason),
        "exit_code": result.exit_code,
        "signal": result.signal,
        "stdout": stdout,
        "stderr": stderr,
        "truncated": result.stdout.is_truncated or result.stderr.is_truncated,
        "seconds": round(result.wall_seconds, 3),
        "cpu_seconds": None if result.cpu_seconds is None else round(result.cpu_seconds, 3),
        "peak_memory_bytes": result.peak_memory_bytes,
        "isolation": result.tier.label,
    }
    if effects is not None and len(effects):
        structured["effects"] = effects.to_wire()
        parts.append(f"[files: {effects.summary}]")
    return ToolResult(({"type": "text", "text": "\n".join(parts)},), structured=structured)


def printed(stdout: str, stderr: str) -> list[str]:
    """Return what a program wrote, as parts of a text that tells the two streams apart; an empty one is left out.

    >>> printed("", "no such file")
    ['stderr:\\nno such file']
    """
    return [part for part in (stdout, stderr and f"stderr:\n{stderr}") if part]


def how_it_ended(reason: EndReason | None, exit_code: int | None, signal: int | None) -> str:
    """Return in a few words how something ended, and what to do about it.

    Args:
        reason: What ended it; None where it could not be begun.
        exit_code: Its exit code, where it ended by itself.
        signal: The number of the signal that ended it, where one did.

    >>> how_it_ended(EndReason.EXIT, 3, None)
    'exit code 3'
    """
    if reason is None:
        return "it could not be begun; ask the operator"
    if reason is EndReason.EXIT:
        return f"exit code {exit_code}"
    if reason is EndReason.SIGNAL:
        return f"ended by signal {signal}"
    return _ADVICE[reason]
