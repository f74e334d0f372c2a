"""The tamper matrix: whatever is done to a closed log is found, and by the chain, for without it nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_core import from_json

from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.hash_chain import GENESIS, LINK_LENGTH, leaf_hash, link_to
from mcp_server.security.audit.verdict_state import VerdictState

Lines = list[bytes]


def delete(lines: Lines, at: int) -> Lines:
    return lines[:at] + lines[at + 1 :]


def insert(lines: Lines, at: int) -> Lines:
    forged = lines[at][:-LINK_LENGTH].replace(b'"stream":"main"', b'"stream":"fake"') + lines[at][-LINK_LENGTH:]
    return [*lines[:at], forged, *lines[at:]]


def insert_with_a_fitting_link(lines: Lines, at: int) -> Lines:
    before = leaf_hash(lines[at - 1]) if at else GENESIS
    return [*lines[:at], lines[at][:-LINK_LENGTH] + link_to(before), *lines[at:]]


def swap(lines: Lines, at: int) -> Lines:
    other = (at + 1) % len(lines)
    lines = list(lines)
    lines[at], lines[other] = lines[other], lines[at]
    return lines


def duplicate(lines: Lines, at: int) -> Lines:
    return [*lines[:at], lines[at], *lines[at:]]


def cut(lines: Lines, at: int) -> Lines:
    return lines[:at]


def empty_line(lines: Lines, at: int) -> Lines:
    return [*lines[:at], b"", *lines[at:]]


def change_a_word(lines: Lines, at: int) -> Lines:
    return [*lines[:at], lines[at].replace(b'"stream":"main"', b'"stream":"maim"'), *lines[at + 1 :]]


def carriage_return(lines: Lines, at: int) -> Lines:
    return [*lines[:at], lines[at] + b"\r", *lines[at + 1 :]]


ATTACKS = [delete, insert, insert_with_a_fitting_link, swap, duplicate, cut, empty_line, change_a_word, carriage_return]


def parses(lines: Lines) -> bool:
    """The negative control: what a log of JSON lines without a chain can find out about itself."""
    try:
        return all(isinstance(from_json(line), dict) for line in lines if line)
    except ValueError:
        return False


@pytest.mark.parametrize("at", range(8))
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_attack_on_any_line_is_found(closed_log: Path, attack: Callable[[Lines, int], Lines], at: int) -> None:
    path = closed_log / "00000000.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1]
    assert len(lines) == 8
    changed = attack(lines, at)
    path.write_bytes(b"".join(line + b"\n" for line in changed))
    assert parses(changed), "a log without a chain notices nothing"
    verdict = AuditVerifier().verify(closed_log)
    assert verdict.state is not VerdictState.INTACT
    assert verdict.reason
    if attack is cut:
        assert verdict.state is VerdictState.TRUNCATED


@pytest.mark.parametrize("keep", range(8))
def test_log_rewritten_from_a_point_on_is_found(closed_log: Path, keep: int) -> None:
    """The forger computes every hash anew, but the head file still names the true last record."""
    path = closed_log / "00000000.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1]
    rewritten: Lines = []
    leaf = GENESIS
    for number, line in enumerate(lines):
        forged = line[:-LINK_LENGTH].replace(b"main", b"maim") + link_to(leaf)
        rewritten.append(forged if number >= keep else line)
        leaf = leaf_hash(rewritten[-1])
    path.write_bytes(b"".join(line + b"\n" for line in rewritten))
    assert AuditVerifier().verify(closed_log).state is VerdictState.ALTERED


@pytest.mark.parametrize("name", ["head", "00000000.jsonl"])
def test_removed_file_is_found(closed_log: Path, name: str) -> None:
    (closed_log / name).unlink()
    assert AuditVerifier().verify(closed_log).state is VerdictState.TRUNCATED


def test_server_does_not_write_to_an_altered_log(closed_log: Path, make_log: Callable[..., object]) -> None:
    path = closed_log / "00000000.jsonl"
    before = path.read_bytes().replace(b'"c1"', b'"c9"')
    path.write_bytes(before)
    with pytest.raises(Exception, match="damaged audit log"):
        make_log().open()  # type: ignore[attr-defined]
    assert path.read_bytes() == before
