"""What is left of a long-running process when it is taken away."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.output_page import OutputPage
from mcp_server.resources.isolation.process_state import ProcessState


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How it ended, what it wrote last, and what of its work was written back.

    Args:
        process: How it ended.
        stdout: The end of what it wrote.
        stderr: The end of what it complained of.
        effects: What became of the client's files; empty where it did not work on them, or nothing was to be kept.
    """

    process: ProcessState
    stdout: OutputPage
    stderr: OutputPage
    effects: EffectLedger
