"""A hundred thousand mixed calls in one process: nothing is lost, nothing is left, everything is on record."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.blocking_pool import MAX_CALLS_PER_OWNER
from mcp_server.security.audit.audit_verifier import AuditVerifier
from tests.soak.call_mix import TOOL_OF, CallMix
from tests.soak.served_process import ServedProcess
from tests.soak.soak_run import WIDTH, SoakRun

CALLS = 100_000
FIRST_CALLS = 20_000
MAX_GROWTH_BYTES = 4 << 20
AT_ONCE = 24
"""The number of a request that is taken back in the same breath; so is every hundredth after it."""

HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder")
    for number in range(7):
        (folder / f"note{number}.txt").write_text(f"note {number}", encoding="utf-8")
    (folder / ".ssh").mkdir()
    (folder / ".ssh" / "id_ed25519").write_text("root: not for the model", encoding="utf-8")
    return folder


def begin(server: ServedProcess) -> SoakRun:
    """Shake hands."""
    run = SoakRun(server=server, mix=CallMix())
    run.ask(-10, "initialize", HANDSHAKE)
    server.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    return run


@pytest.fixture(scope="module")
def run(checkout: Path, folder: Path, state: Path) -> SoakRun:
    with ServedProcess(checkout=checkout, folder=folder, state=state) as server:
        run = begin(server)
        run.mix.cursor = run.ask(-11, "prompts/list", {})["nextCursor"]
        run.drive(range(FIRST_CALLS))
        run.look()
        run.drive(range(FIRST_CALLS, CALLS))
        run.look()
        run.leave()
    return run


@pytest.fixture(scope="module")
def records(run: SoakRun, state: Path) -> list[dict[str, Any]]:
    segments = sorted((state / "audit" / "soak").glob("*.jsonl"))
    return [json.loads(line) for segment in segments for line in segment.read_bytes().splitlines()]


def test_every_request_is_answered_rightly_and_once(run: SoakRun) -> None:
    assert run.problems[:5] == []
    assert run.unexpected[:5] == []
    assert sum(run.mix.sent.values()) >= CALLS


def test_what_has_no_readable_id_is_answered_without_one(run: SoakRun) -> None:
    assert run.mix.nameless == {-32700: run.mix.sent["bad_json"], -32600: run.mix.sent["batch"]}


def test_progress_is_reported_before_the_answer_and_never_after(run: SoakRun) -> None:
    assert run.mix.sent["steps"] > 0
    assert +run.mix.progress == Counter()


def test_nothing_is_sent_unasked_and_the_end_is_clean(run: SoakRun) -> None:
    assert (run.rest, run.exit_code) == (b"", 0)


def test_memory_stays_flat(run: SoakRun) -> None:
    after_first, after_all = run.resident
    assert after_all - after_first < MAX_GROWTH_BYTES


def test_no_descriptor_task_or_thread_is_left(run: SoakRun) -> None:
    assert len(set(run.descriptors)) == 1
    assert len(set(run.tasks)) == 1
    # The pool starts its threads when they are needed and keeps them; beside it there are the loop and the audit.
    assert max(run.threads) <= MAX_CALLS_PER_OWNER + 2


def test_the_audit_is_intact_to_the_last_record(run: SoakRun, state: Path) -> None:
    verdict = AuditVerifier().verify(state / "audit" / "soak", deep=True)
    assert verdict.is_intact, verdict.reason
    assert verdict.open_calls == 0


def test_every_call_is_on_record_once(run: SoakRun, records: list[dict[str, Any]]) -> None:
    sent = run.mix.sent
    expected: Counter[str] = Counter(state=run.looks)
    for kind, count in sent.items():
        if kind in TOOL_OF:
            expected[TOOL_OF[kind]] += count
    # What was announced names its tool there, and ends with the id of its call.
    announced = {each["call"]: each["tool"] for each in records if each["kind"] == "call.intent"}
    ended = [each for each in records if each["kind"] in ("call.done", "call.denied", "sandbox.violation")]
    tools = Counter(
        announced.get(each["call"], each.get("tool"))
        for each in ended
        if each["call"] in announced or each.get("method") == "tools/call"
    )
    # Taken back before it began: it may have run or not, as the two lines arrived together or apart.
    assert tools.pop("wait_not", 0) <= expected.pop("wait_not")
    # A name that does not exist is on record as a refusal, without the name.
    unnamed = sum(each["kind"] == "call.denied" and "method" not in each for each in ended)
    assert unnamed == expected.pop("no_such_tool") + sent["missing_resource"]
    assert tools == expected
    assert len({each["call"] for each in ended}) == len(ended)


def test_what_may_have_effects_was_announced(run: SoakRun, records: list[dict[str, Any]]) -> None:
    announced = Counter(each["tool"] for each in records if each["kind"] == "call.intent")
    sent = run.mix.sent
    assert announced["add"] == sent["add"] + sent["bad_arguments"]
    assert (announced["fail"], announced["blocking"], announced["wait"]) == (
        sent["fail"],
        sent["blocking"],
        sent["cancelled"],
    )
    assert not {"echo", "read_file", "steps"} & set(announced)


def test_calls_taken_back_before_they_began_hold_no_slot(checkout: Path, folder: Path, tmp_path: Path) -> None:
    with ServedProcess(checkout=checkout, folder=folder, state=tmp_path) as server:
        run = begin(server)
        # One write, so that each call and its cancellation are read together.
        server.write(b"".join(run.mix.request(AT_ONCE + 100 * turn) for turn in range(2 * WIDTH)))
        run.look()
        run.leave()
    assert run.tasks == [2]
    assert (run.rest, run.exit_code) == (b"", 0)
