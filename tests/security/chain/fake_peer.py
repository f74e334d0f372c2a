"""The other end of a call, played by a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any


class FakePeer:
    """A client whose human and model say what the test says.

    Args:
        can: What it is able to: `elicit`, `sample`, `list_roots`, `elicit_url`.
        answer: Answers a question of the human: params in, ElicitResult out.
    """

    def __init__(
        self,
        *,
        can: Sequence[str] = ("elicit", "sample", "list_roots", "elicit_url"),
        answer: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]] | None = None,
    ) -> None:
        self.can_elicit = "elicit" in can
        self.can_sample = "sample" in can
        self.can_list_roots = "list_roots" in can
        self.can_elicit_url = "elicit_url" in can
        self._answer = answer
        self.questions: list[Mapping[str, Any]] = []
        self.samples: list[Mapping[str, Any]] = []
        self.news: list[tuple[Any, ...]] = []

    async def elicit(
        self, params: Mapping[str, Any], *, bound_to: str = "", ttl_seconds: float | None = None
    ) -> Mapping[str, Any]:
        self.questions.append(params)
        if self._answer is None:
            return {"action": "accept", "content": {"allow": True}}
        return await self._answer(params)

    async def sample(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.samples.append(params)
        return {"role": "assistant", "model": "fake", "content": {"type": "text", "text": "hm"}}

    async def list_roots(self) -> Sequence[Mapping[str, Any]]:
        return [{"uri": "file:///home/ada", "name": "home"}]

    def progress(self, progress: float, total: float | None, message: str | None) -> None:
        self.news.append(("progress", progress, total, message))

    def log(self, level: str, data: Any, logger: str | None) -> None:
        self.news.append(("log", level, data, logger))

    def heartbeat(self, elapsed_seconds: float) -> None:
        self.news.append(("heartbeat", elapsed_seconds))
