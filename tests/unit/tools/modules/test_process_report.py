"""What a model reads of a process, beside the structured values."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.output_page import OutputPage
from mcp_server.resources.isolation.process_end import ProcessEnd
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.tools.modules.process_report import (
    report_end,
    report_input,
    report_list,
    report_page,
    report_start,
)


def state(**more: Any) -> ProcessState:
    values: dict[str, Any] = {
        "id": "ab12",
        "client": "ada",
        "program": "sh",
        "arguments": ("-c", "x"),
        "running": True,
        "reason": None,
        "exit_code": None,
        "signal": None,
        "seconds": 1.23456,
        "stdout_bytes": 7,
        "stderr_bytes": 0,
        "tier": IsolationTier.NS,
    }
    return ProcessState(**(values | more))


def text_of(result: Any) -> str:
    return str(result.content[0]["text"])


def test_a_start_tells_the_id() -> None:
    result = report_start(state())
    assert text_of(result) == "process ab12 was started"
    assert (result.structured["process"], result.structured["seconds"]) == ("ab12", 1.235)
    assert "client" not in result.structured


def test_a_page_tells_where_to_go_on() -> None:
    result = report_page(OutputPage("hello", 10, 15, 20, 0, state()))
    assert text_of(result) == "hello\n[running; next offset 15 of 20]"
    assert (result.structured["running"], result.structured["reason"]) == (True, None)


def test_a_gap_is_told() -> None:
    page = OutputPage("", 10, 10, 10, 4, state(running=False, reason=EndReason.EXIT, exit_code=3))
    assert text_of(report_page(page)) == (
        "[exit code 3; next offset 10 of 10; 4 bytes before offset 10 are not kept any more]"
    )


@pytest.mark.parametrize(
    ("taken", "close", "expected"),
    [(4, False, (True, False)), (4, True, (True, True)), (2, True, (False, False))],
)
def test_input_tells_how_much_was_taken(taken: int, close: bool, expected: tuple[bool, bool]) -> None:
    result = report_input("text", taken, close=close)
    assert (result.structured["complete"], result.structured["closed"]) == expected
    assert ("character 2" in text_of(result)) is (taken == 2)


def test_an_end_tells_output_and_effects() -> None:
    ended = state(running=False, reason=EndReason.IDLE)
    out, err = OutputPage("out", 0, 3, 3, 0, ended), OutputPage("err", 0, 3, 3, 0, ended)
    ledger = EffectLedger([Effect(EffectKind.CREATED, "a", 1)])
    result = report_end(ProcessEnd(ended, out, err, ledger))
    assert text_of(result).splitlines() == [
        "out",
        "stderr:",
        "err",
        "[nobody used it for too long, so it was stopped]",
        "[files: 1 created]",
    ]
    assert result.structured["effects"]["created"] == 1
    assert "effects" not in report_end(ProcessEnd(ended, out, err, EffectLedger())).structured


def test_a_list_has_a_line_for_each() -> None:
    states = [state(), state(id="cd34", running=False)]
    assert text_of(report_list(states)).splitlines() == [
        "ab12 sh: running",
        "cd34 sh: it could not be begun; ask the operator",
    ]
    assert text_of(report_list([])) == "none"


@pytest.mark.parametrize("reason", EndReason)
def test_every_end_has_its_words(reason: EndReason) -> None:
    result = report_list([state(running=False, reason=reason, exit_code=0, signal=9)])
    assert result.structured["processes"][0]["reason"] == reason.value
    assert text_of(result).startswith("ab12 sh: ")
