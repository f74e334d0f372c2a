"""A machine for classic BPF, written from the kernel's documentation and knowing nothing of the assembler."""

from __future__ import annotations

import struct
from collections.abc import Sequence


class BPFInterpreter:
    """Runs a program of `seccomp(2)` on one call; refuses what the kernel would refuse.

    Args:
        program: An array of `struct sock_filter`.
    """

    def __init__(self, program: bytes) -> None:
        assert program, "an empty program"
        assert len(program) % 8 == 0, "half an instruction"
        self.instructions = list(struct.iter_unpack("<HBBI", program))
        assert len(self.instructions) <= 4096, "too long"
        for at, (code, if_true, if_false, operand) in enumerate(self.instructions):
            left = len(self.instructions) - at - 1
            assert code in (0x06, 0x20, 0x54, 0x05, 0x15, 0x35, 0x45), f"instruction {at} has code {code:#x}"
            if code == 0x05:
                assert operand < left, f"instruction {at} jumps out of the program"
            if code in (0x15, 0x35, 0x45):
                assert max(if_true, if_false) < left, f"instruction {at} jumps out of the program"
            if code == 0x20:
                assert operand % 4 == 0, f"instruction {at} loads from between two words"
                assert operand < 64, f"instruction {at} loads from behind the data"
        assert self.instructions[-1][0] == 0x06, "the last instruction is no ret"

    def run(self, number: int, arch: int, arguments: Sequence[int] = ()) -> int:
        """Return the verdict on a call."""
        words = [each % (1 << 64) for each in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
        return self.run_on(struct.pack("<IIQ6Q", number % (1 << 32), arch, 0, *words))

    def run_on(self, data: bytes) -> int:
        """Return the verdict on `struct seccomp_data`."""
        accumulator = at = 0
        while True:
            code, if_true, if_false, operand = self.instructions[at]
            at += 1
            if code == 0x06:
                return operand
            elif code == 0x20:
                accumulator = int.from_bytes(data[operand : operand + 4], "little")
            elif code == 0x54:
                accumulator &= operand
            elif code == 0x05:
                at += operand
            else:
                holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}
                at += if_true if holds[code] else if_false
