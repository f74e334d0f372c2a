"""Any byte changed, any byte missing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.disk_space import DiskSpace
from mcp_server.security.audit.hash_chain import leaf_hash
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit_logger import AuditLogger

ROOMY = DiskSpace(free_bytes=2**40, total_bytes=2**41)
SEGMENT = "00000000.jsonl"


def make(directory: Path) -> AuditLogger:
    return AuditLogger(
        directory=directory,
        wall_clock=lambda: 1_800_000_000_000_000_000,
        monotonic=lambda: 5_000_000_000,
        disk_space=lambda fd: ROOMY,
    )


@pytest.fixture(scope="module")
def log() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    logger = make(folder / "audit")
    logger.open()
    for number in range(12):
        logger.append("call.intent", {"call": f"c{number}", "args": {"path": "/home/u/ä b.txt"}})
        logger.append("call.done", {"call": f"c{number}", "out": {"bytes": number}})
    logger.close()
    yield folder / "audit"
    shutil.rmtree(folder)


@settings(max_examples=400)
@given(data=st.data())
def test_any_changed_byte_is_found(log: Path, data: st.DataObject) -> None:
    path = log / data.draw(st.sampled_from([SEGMENT, SEGMENT, SEGMENT, "head"]))
    original = path.read_bytes()
    position = data.draw(st.integers(0, len(original) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(original)
    changed[position] ^= flip
    path.write_bytes(changed)
    try:
        for deep in (False, True):
            verdict = AuditVerifier().verify(log, deep=deep)
            assert not verdict.is_intact, f"byte {position} ^ {flip}"
            assert verdict.reason
    finally:
        path.write_bytes(original)
    assert AuditVerifier().verify(log, deep=True).is_intact


def test_negative_control_without_a_chain_most_changes_of_a_letter_are_not_found(log: Path) -> None:
    line = (log / SEGMENT).read_bytes().split(b"\n")[1]
    unnoticed = 0
    for position, byte in enumerate(line):
        if chr(byte).isdigit():
            changed = line[:position] + (b"1" if byte != ord("1") else b"2") + line[position + 1 :]
            unnoticed += isinstance(from_json(changed), dict)
    assert unnoticed > 50


@settings(max_examples=150)
@given(data=st.data())
def test_log_cut_anywhere_is_recovered_with_evidence_or_refused(log: Path, data: st.DataObject) -> None:
    """The head covers a random number of records; the file ends at a random byte."""
    original = (log / SEGMENT).read_bytes()
    lines = original.split(b"\n")[:-1]
    covered = data.draw(st.integers(0, len(lines)))
    end = data.draw(st.integers(0, len(original)))
    size = sum(len(line) + 1 for line in lines[:covered])
    head = LogHead(covered - 1, 0, size, leaf_hash(lines[covered - 1]).decode()) if covered else LogHead()
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "audit"
        shutil.copytree(log, image)
        (image / "head").write_bytes(head.encode())
        (image / SEGMENT).write_bytes(original[:end])
        logger = make(image)
        if end < size:
            with pytest.raises(ConfigurationError, match="shorter than its head"):
                logger.open()
            assert not AuditVerifier().verify(image).is_intact
            assert (image / SEGMENT).read_bytes() == original[:end]
            return
        logger.open()
        logger.close()
        assert AuditVerifier().verify(image, deep=True).is_intact
        records = list(AuditReader(image).records())
        whole = original[:end].count(b"\n")
        assert (image / SEGMENT).read_bytes().split(b"\n")[:whole] == lines[:whole]
        torn = original[original.rfind(b"\n", 0, end) + 1 : end]
        told = [record for record in records[whole:] if record["kind"] == "log.recover"]
        if torn:
            assert told[0]["torn"]["len"] == len(torn)
            assert (image / "00000000.torn").read_bytes() == torn
        if whole % 2 == 0 and 0 < whole < len(lines):
            assert [record["kind"] for record in records].count("call.unknown") == 1


def test_every_cut_of_the_last_record(log: Path) -> None:
    """Exhaustive where it matters: each byte of the tail, the head covering all but the last record."""
    original = (log / SEGMENT).read_bytes()
    lines = original.split(b"\n")[:-1]
    size = len(original) - len(lines[-1]) - 1
    head = LogHead(len(lines) - 2, 0, size, leaf_hash(lines[-2]).decode())
    for end in range(size, len(original)):
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "audit"
            shutil.copytree(log, image, ignore=shutil.ignore_patterns("reserve"))
            (image / "head").write_bytes(head.encode())
            (image / SEGMENT).write_bytes(original[:end])
            logger = make(image)
            logger.open()
            logger.close()
            torn = [record.get("torn") for record in AuditReader(image).records() if record["kind"] == "log.recover"]
            assert torn[0] is None if end == size else torn[0]["len"] == end - size
