from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.tools.modules.execution_report import REPORT_SCHEMA, report

GOOD = ExecutionResult(
    reason=EndReason.EXIT,
    exit_code=0,
    signal=None,
    stdout=CapturedOutput(b"out", b"", 3),
    stderr=CapturedOutput(),
    wall_seconds=0.12345,
    cpu_seconds=0.0123456,
    peak_memory_bytes=1024,
    tier=IsolationTier.NS,
    policy_digest="d",
)


def text_of(result: ExecutionResult, **options: Any) -> str:
    (content,) = report(result, **options).content
    assert content["type"] == "text"
    return str(content["text"])


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "out"),
        ({"stdout": CapturedOutput()}, "[exit code 0]"),
        ({"exit_code": 3}, "out\n[exit code 3]"),
        ({"stderr": CapturedOutput(b"bad", b"", 3)}, "out\nstderr:\nbad"),
        (
            {"stdout": CapturedOutput(), "stderr": CapturedOutput(b"bad", b"", 3), "exit_code": 1},
            "stderr:\nbad\n[exit code 1]",
        ),
        ({"reason": EndReason.SIGNAL, "exit_code": None, "signal": 11}, "out\n[ended by signal 11]"),
    ],
)
def test_a_model_reads_what_was_printed_and_how_it_ended(changed: dict[str, Any], text: str) -> None:
    assert text_of(replace(GOOD, **changed)) == text


@pytest.mark.parametrize("reason", [each for each in EndReason if each not in (EndReason.EXIT, EndReason.SIGNAL)])
def test_every_other_end_says_what_to_do(reason: EndReason) -> None:
    out, _, words = text_of(replace(GOOD, reason=reason, exit_code=None)).partition("\n")
    assert out == "out"
    assert words[0] + words[-1] == "[]"
    assert len(words.split()) >= 3


def test_the_structured_values_are_those_of_the_schema() -> None:
    found = report(GOOD).structured
    assert found == {
        "reason": "exit",
        "exit_code": 0,
        "signal": None,
        "stdout": "out",
        "stderr": "",
        "truncated": False,
        "seconds": 0.123,
        "cpu_seconds": 0.012,
        "peak_memory_bytes": 1024,
        "isolation": "ns",
    }
    assert set(REPORT_SCHEMA["required"]) <= set(found) <= set(REPORT_SCHEMA["properties"])
    assert REPORT_SCHEMA["properties"]["reason"]["enum"] == [str(each) for each in EndReason]
    unknown = report(replace(GOOD, cpu_seconds=None, peak_memory_bytes=None)).structured
    assert unknown is not None
    assert (unknown["cpu_seconds"], unknown["peak_memory_bytes"]) == (None, None)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_was_left_out_is_told(stream: str) -> None:
    cut = replace(GOOD, **{stream: CapturedOutput(b"a", b"z", 100)})
    found = report(cut).structured
    assert found is not None
    assert found["truncated"] is True
    assert "98 bytes left out" in found[stream]


def test_a_program_that_failed_is_no_failed_call() -> None:
    assert not report(replace(GOOD, exit_code=1)).is_error


def test_effects_are_counted_for_the_model_and_listed_for_its_client() -> None:
    ledger = EffectLedger([Effect(EffectKind.CREATED, "a", 1), Effect(EffectKind.CREATED, "b", 1)])
    found = report(GOOD, ledger).structured
    assert found is not None
    assert found["effects"] == ledger.to_wire()
    assert text_of(GOOD, effects=ledger) == "out\n[files: 2 created]"
    assert report(GOOD, EffectLedger()).structured == report(GOOD).structured
