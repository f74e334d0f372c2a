"""Runs targets on hostile inputs.

A target is a module `target_<name>.py` in this folder with

    name: str                      what it is called in reports
    run(data: bytes) -> None       raises when the code under test does something it must not do
    corpus: Sequence[bytes]        good inputs to start from (optional; messages of the protocol by default)

A refusal is not a failure: the target catches the errors its code promises, and lets everything else through.
"""

from __future__ import annotations

import importlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.fuzz.corpus import MESSAGES
from tests.fuzz.mutator import hostile_input

MEASURED_EVERY: Final = 50
"""Memory is measured on one input in so many, for measuring is slow."""

MEMORY_BASE_BYTES: Final = 2 * 1024 * 1024
MEMORY_PER_BYTE: Final = 400
"""How much one byte of input may cost at most while it is looked at: a parsed `{}` of two bytes takes 64."""


def targets() -> list[ModuleType]:
    """Return every target of this folder, by name."""
    files = sorted(Path(__file__).parent.glob("target_*.py"))
    return [importlib.import_module(f"tests.fuzz.{file.stem}") for file in files]


def attack(target: ModuleType, *, count: int, seed: int, first: int = 0) -> Iterator[str]:
    """Run a target on `count` inputs; yield one line for each that failed."""
    corpus = getattr(target, "corpus", MESSAGES)
    for index in range(first, first + count):
        data = hostile_input(corpus, seed=seed, name=target.name, index=index)
        measured = index % MEASURED_EVERY == 0
        if measured:
            tracemalloc.start()
        try:
            target.run(data)
            peak = tracemalloc.get_traced_memory()[1] if measured else 0
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            yield f"{target.name} seed {seed} index {index}: {type(error).__name__}: {error} <- {data[:200]!r}"
            continue
        finally:
            if measured:
                tracemalloc.stop()
        if peak > MEMORY_BASE_BYTES + MEMORY_PER_BYTE * len(data):
            yield f"{target.name} seed {seed} index {index}: {peak} bytes of memory <- {data[:200]!r}"
