"""Calling what an author left to be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Hook = Callable[[], Any]


async def call_hook(hook: Hook) -> None:
    """Call a start or stop hook; a plain one may block, and so runs in a thread.

    >>> import asyncio
    >>> asyncio.run(call_hook(lambda: print("started")))
    started
    """
    import asyncio
    import inspect

    if inspect.iscoroutinefunction(hook):
        await hook()
        return
    value = await asyncio.to_thread(hook)
    if inspect.isawaitable(value):
        await value
