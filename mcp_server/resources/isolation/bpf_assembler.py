"""Instructions of classic BPF, with names for the places that are jumped to."""

from __future__ import annotations

import struct
from typing import Final

MAX_INSTRUCTIONS: Final = 4096
"""The kernel's own bound, `BPF_MAXINSNS`."""

# Source: include/uapi/linux/bpf_common.h; class, size or operation, and source put together.
_LOAD_WORD: Final = 0x20
_AND: Final = 0x54
_JUMP: Final = 0x05
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_JUMP_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06

_LONGEST_BRANCH: Final = 255
_DATA_BYTES: Final = 64
_WORD: Final = 0xFFFF_FFFF

_INSTRUCTION: Final = struct.Struct("<HBBI")
"""`struct sock_filter`: code, distance if true, distance if false, operand."""


class BPFAssembler:
    """Collect instructions over `struct seccomp_data` and turn them into a program.

    A conditional jump names where it goes if true and if false; without a name it goes to the next instruction. All
    jumps lead forward. A branch reaches 255 instructions; one that must go further is led through a jump that has no
    such bound.

    Knows the machine of BPF and no system call.

    Source: Documentation/networking/filter.rst, "BPF engine and instruction set"; seccomp(2).

    >>> assembler = BPFAssembler()
    >>> assembler.ld(0)
    >>> assembler.jeq(7, "yes")
    >>> assembler.ret(0)
    >>> assembler.label("yes")
    >>> assembler.ret(1)
    >>> assembler.assemble().hex(" ", 8)
    '2000000000000000 1500010007000000 0600000000000000 0600000001000000'
    """

    __slots__ = ("_instructions", "_labels")

    def __init__(self) -> None:
        # Code, operand, label if true, label if false.
        self._instructions: list[tuple[int, int, str | None, str | None]] = []
        self._labels: dict[str, int] = {}

    def ld(self, offset: int) -> None:
        """Load the 32-bit word at `offset` of the data into the accumulator.

        Raises:
            ValueError: There is no such word.
        """
        if offset % 4 or not 0 <= offset < _DATA_BYTES:
            raise ValueError(f"no word at offset {offset} of {_DATA_BYTES} bytes")
        self._add(_LOAD_WORD, offset)

    def and_(self, mask: int) -> None:
        """Keep only those bits of the accumulator that are in `mask`."""
        self._add(_AND, mask)

    def jeq(self, value: int, then: str | None = None, otherwise: str | None = None) -> None:
        """Jump by whether the accumulator equals `value`."""
        self._add(_JUMP_EQUAL, value, then, otherwise)

    def jge(self, value: int, then: str | None = None, otherwise: str | None = None) -> None:
        """Jump by whether the accumulator, without sign, is `value` or more."""
        self._add(_JUMP_AT_LEAST, value, then, otherwise)

    def jset(self, mask: int, then: str | None = None, otherwise: str | None = None) -> None:
        """Jump by whether the accumulator has any bit of `mask`."""
        self._add(_JUMP_ANY_BIT, mask, then, otherwise)

    def ja(self, label: str) -> None:
        """Jump."""
        self._add(_JUMP, 0, label)

    def ret(self, value: int) -> None:
        """End with the verdict `value`."""
        self._add(_RETURN, value)

    def label(self, name: str) -> None:
        """Name the place of the next instruction.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._labels:
            raise ValueError(f"label {name!r} is defined twice")
        self._labels[name] = len(self._instructions)

    def assemble(self) -> bytes:
        """Return the program, an array of `struct sock_filter`.

        Raises:
            ValueError: A label is missing or lies behind its jump, the last instruction is no `ret`, or the program
                is longer than the kernel accepts.
        """
        if not self._instructions or self._instructions[-1][0] != _RETURN:
            raise ValueError("a program ends with ret")
        positions, far = self._lay_out()
        if positions[-1] > MAX_INSTRUCTIONS:
            raise ValueError(f"{positions[-1]} instructions are more than {MAX_INSTRUCTIONS}")
        code = bytearray()
        for index, (operation, operand, then, otherwise) in enumerate(self._instructions):
            here, following = positions[index], positions[index + 1]
            if operation == _JUMP:
                assert then is not None
                code += _INSTRUCTION.pack(_JUMP, 0, 0, self._target(then, positions) - here - 1)
                continue
            # The places behind the instruction: jumps for those branches that are too far, then the next instruction.
            distances: list[int] = []
            jumps: list[bytes] = []
            for side, label in enumerate((then, otherwise)):
                target = following if label is None else self._target(label, positions)
                if (index, side) in far:
                    distances.append(len(jumps))
                    jumps.append(_INSTRUCTION.pack(_JUMP, 0, 0, target - (here + 1 + len(jumps)) - 1))
                else:
                    distances.append(target - here - 1 if operation in _CONDITIONS else 0)
            code += _INSTRUCTION.pack(operation, *distances, operand) + b"".join(jumps)
        return bytes(code)

    def _add(self, operation: int, operand: int, then: str | None = None, otherwise: str | None = None) -> None:
        if not 0 <= operand <= _WORD:
            raise ValueError(f"{operand} is no word of 32 bits")
        self._instructions.append((operation, operand, then, otherwise))

    def _target(self, label: str, positions: list[int]) -> int:
        return positions[self._labels[label]]

    def _lay_out(self) -> tuple[list[int], set[tuple[int, int]]]:
        """Return the place of each instruction and of the end, and which branches need a jump of their own."""
        for index, (_operation, _operand, *labels) in enumerate(self._instructions):
            for label in labels:
                if label is None:
                    continue
                if label not in self._labels:
                    raise ValueError(f"label {label!r} is not defined")
                if not index < self._labels[label] < len(self._instructions):
                    raise ValueError(f"label {label!r} does not lie ahead of its jump")
        far: set[tuple[int, int]] = set()
        while True:
            positions = [0]
            for index in range(len(self._instructions)):
                positions.append(positions[-1] + 1 + ((index, 0) in far) + ((index, 1) in far))
            # A jump that was put in may push another branch's target too far; it never brings one nearer.
            further = {
                (index, side)
                for index, (operation, _operand, *labels) in enumerate(self._instructions)
                for side, label in enumerate(labels)
                if operation in _CONDITIONS and label is not None
                if self._target(label, positions) - positions[index] - 1 > _LONGEST_BRANCH
            } - far
            if not further:
                return positions, far
            far |= further


_CONDITIONS: Final = (_JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT)
