"""Ties a test to the behaviour it proves, and runs it for every revision that has the behaviour."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.desk import Desk
from tests.conformance.requirements import REQUIREMENTS

Body = Callable[[Desk], Awaitable[None]]


def covers(requirement: str) -> Callable[[Body], Callable[..., None]]:
    """Make a test of an async function that takes a `Desk`: a real server, and what the manifest says it must do.

    Every message the server sends meanwhile is held against the schema of its revision, and the server must end without
    leaving a task behind.

    Args:
        requirement: The id of an entry of the manifest.
    """
    entry = REQUIREMENTS[requirement]

    def decorate(body: Body) -> Callable[..., None]:
        @pytest.mark.parametrize("revision", entry.revisions)
        def test(revision: str, tmp_path: Path) -> None:
            asyncio.run(_serve(body, revision, tmp_path))

        test.__name__ = test.__qualname__ = getattr(body, "__name__", "test")
        test.__module__ = body.__module__
        test.__doc__ = entry.text
        return test

    return decorate


async def _serve(body: Body, revision: str, directory: Path) -> None:
    async with Desk(directory, revision) as desk:
        await body(desk)
    left = asyncio.all_tasks() - _current()
    assert not left, f"tasks were left behind: {left}"
    assert not desk.problems, desk.problems


def _current() -> set[Any]:
    return {asyncio.current_task()}
