from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.bpf_assembler import MAX_INSTRUCTIONS, BPFAssembler
from tests.support.bpf_interpreter import BPFInterpreter

ALLOW, REFUSE = 0x7FFF0000, 0x00050001


def jump_over(count: int, jump: Callable[[BPFAssembler], None]) -> BPFInterpreter:
    """Return a program that jumps over as many instructions, by the number of the call."""
    assembler = BPFAssembler()
    assembler.ld(0)
    jump(assembler)
    for _ in range(count):
        assembler.and_(0)
    assembler.label("near")
    assembler.ret(1)
    assembler.label("far")
    assembler.ret(2)
    assembler.label("farther")
    assembler.ret(3)
    return BPFInterpreter(assembler.assemble())


@pytest.mark.parametrize(
    ("emit", "code"),
    [
        (lambda each: each.ld(60), "200000003c000000"),
        (lambda each: each.and_(0xF000), "5400000000f00000"),
        (lambda each: each.jeq(7, "end"), "1500010007000000"),
        (lambda each: each.jge(7, None, "end"), "3500000107000000"),
        (lambda each: each.jset(7, "end", "end"), "4500010107000000"),
        (lambda each: each.ja("end"), "0500000001000000"),
        (lambda each: each.ret(0x7FFF0000), "060000000000ff7f"),
    ],
)
def test_each_instruction_is_the_kernels(emit: Callable[[BPFAssembler], None], code: str) -> None:
    assembler = BPFAssembler()
    emit(assembler)
    assembler.ret(0)
    assembler.label("end")
    assembler.ret(1)
    assert assembler.assemble()[:8].hex() == code


@pytest.mark.parametrize("count", [0, 1, 253, 254, 255, 256, 257, 1000, 4000])
def test_a_branch_reaches_any_distance(count: int) -> None:
    for jump, at, below in (
        (lambda each: each.jge(5, "far"), 2, 1),
        (lambda each: each.jge(5, None, "far"), 1, 2),
        (lambda each: each.jge(5, "far", "farther"), 2, 3),
        (lambda each: each.jge(5, "near", "far"), 1, 2),
    ):
        program = jump_over(count, jump)
        assert (program.run(5, 0), program.run(4, 0)) == (at, below)


def test_only_a_branch_that_is_too_long_costs_a_jump() -> None:
    # Two instructions before, three after; between them the branch may lie 255 apart.
    assert len(jump_over(255, lambda each: each.jeq(0, "near")).instructions) == 2 + 255 + 3
    assert len(jump_over(256, lambda each: each.jeq(0, "near")).instructions) == 2 + 256 + 3 + 1
    assert len(jump_over(256, lambda each: each.jeq(0, "near", "far")).instructions) == 2 + 256 + 3 + 2


@pytest.mark.parametrize(
    ("emit", "message"),
    [
        (lambda each: each.ld(2), "no word at offset 2"),
        (lambda each: each.ld(64), "no word at offset 64"),
        (lambda each: each.ld(-4), "no word at offset -4"),
        (lambda each: each.jeq(1 << 32, "end"), "no word of 32 bits"),
        (lambda each: each.ret(-1), "no word of 32 bits"),
        (lambda each: each.ja("nowhere"), "'nowhere' is not defined"),
        (lambda each: each.jeq(0, None, "start"), "'start' does not lie ahead"),
        (lambda each: each.ja("behind the end"), "'behind the end' does not lie ahead"),
        (lambda each: each.label("start"), "'start' is defined twice"),
    ],
)
def test_what_cannot_be_is_refused(emit: Callable[[BPFAssembler], None], message: str) -> None:
    assembler = BPFAssembler()
    assembler.label("start")
    assembler.ld(0)

    def whole() -> None:
        emit(assembler)
        assembler.label("end")
        assembler.ret(0)
        assembler.label("behind the end")
        assembler.assemble()

    with pytest.raises(ValueError, match=message):
        whole()


def test_a_program_ends_with_a_verdict() -> None:
    assembler = BPFAssembler()
    with pytest.raises(ValueError, match="ends with ret"):
        assembler.assemble()
    assembler.ld(0)
    with pytest.raises(ValueError, match="ends with ret"):
        assembler.assemble()


def test_a_program_has_at_most_as_many_instructions_as_the_kernel_takes() -> None:
    assembler = BPFAssembler()
    for _ in range(MAX_INSTRUCTIONS):
        assembler.ret(0)
    assert len(assembler.assemble()) == MAX_INSTRUCTIONS * 8
    assembler.ret(0)
    with pytest.raises(ValueError, match="4097 instructions are more than 4096"):
        assembler.assemble()


LABELS = st.integers(1, 400)
WORDS = st.integers(0, 7) | st.integers(0, 0xFFFFFFFF)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["jeq", "jge", "jset"]), WORDS, st.none() | LABELS, st.none() | LABELS),
    st.tuples(st.just("ld"), st.integers(0, 15)),
    st.tuples(st.just("and_"), WORDS),
    st.tuples(st.just("ja"), LABELS),
    st.tuples(st.just("pad"), st.integers(1, 200)),
)


def model(steps: list[tuple], data: bytes) -> int:
    """Return the verdict by walking the steps; a target is so many steps ahead, and behind the last is the end."""
    accumulator = at = 0
    while at < len(steps):
        kind, operand, *targets = steps[at]
        if kind == "ld":
            accumulator = int.from_bytes(data[operand * 4 : operand * 4 + 4], "little")
        elif kind == "and_":
            accumulator &= operand
        elif kind == "ja":
            at += operand - 1
        elif kind != "pad":
            holds = {
                "jeq": accumulator == operand,
                "jge": accumulator >= operand,
                "jset": accumulator & operand != 0,
            }[kind]
            at += (targets[0 if holds else 1] or 1) - 1
        at += 1
    return accumulator & 1


@given(steps=st.lists(STEPS, max_size=30), data=st.binary(min_size=64, max_size=64))
def test_a_program_does_what_its_steps_say(steps: list[tuple], data: bytes) -> None:
    assembler = BPFAssembler()

    def place(at: int, ahead: int | None) -> str | None:
        return None if ahead is None else f"step {min(at + ahead, len(steps))}"

    for at, (kind, operand, *targets) in enumerate(steps):
        assembler.label(f"step {at}")
        if kind == "ld":
            assembler.ld(operand * 4)
        elif kind == "ja":
            assembler.ja(str(place(at, operand)))
        elif kind == "pad":
            # Instructions that do nothing, so that targets come to lie on both sides of the longest branch.
            for _ in range(operand):
                assembler.and_(0xFFFFFFFF)
        else:
            getattr(assembler, kind)(operand, *(place(at, target) for target in targets))
    assembler.label(f"step {len(steps)}")
    assembler.jset(1, "odd")
    assembler.ret(0)
    assembler.label("odd")
    assembler.ret(1)
    assert BPFInterpreter(assembler.assemble()).run_on(data) == model(steps, data)
