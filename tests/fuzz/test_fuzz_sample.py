"""A sample of the hostile inputs; `FUZZ_INPUTS` says how many, and `make fuzz` asks for 200,000."""

from __future__ import annotations

import os
from types import ModuleType

import pytest

from tests.fuzz.corpus import MESSAGES
from tests.fuzz.harness import attack, targets
from tests.fuzz.mutator import hostile_input

INPUTS = int(os.environ.get("FUZZ_INPUTS", "4000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
TARGETS = targets()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_hostile_input_breaks_the_target(target: ModuleType) -> None:
    share = -(-INPUTS // len(TARGETS))
    assert list(attack(target, count=share, seed=SEED)) == []


def test_a_broken_target_is_noticed() -> None:
    broken = ModuleType("broken")
    broken.name = "broken"  # type: ignore[attr-defined] # what a target exposes

    def run(data: bytes) -> None:
        if b"method" in data:
            raise KeyError("method")
        if len(data) % 2:
            bytearray(100_000_000)

    broken.run = run  # type: ignore[attr-defined] # as above
    lines = list(attack(broken, count=500, seed=SEED))
    assert any("KeyError" in line for line in lines)
    assert any("bytes of memory" in line for line in lines)


def test_the_same_seed_gives_the_same_inputs() -> None:
    first = [hostile_input(MESSAGES, seed=3, name="x", index=index) for index in range(50)]
    assert first == [hostile_input(MESSAGES, seed=3, name="x", index=index) for index in range(50)]
    assert first != [hostile_input(MESSAGES, seed=4, name="x", index=index) for index in range(50)]
    assert len(set(first)) > 40
