"""What a tool agrees with its callers, however its author wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


class ToolContract(Protocol):
    """Schemas, and the step from the client's arguments to the handler's: where both forms of a tool meet."""

    @property
    def input_schema(self) -> Mapping[str, Any]:
        """The schema of the arguments, as it is sent."""

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The schema of the structured value, None when there is none."""

    @property
    def has_output(self) -> bool:
        """Whether there is an output schema; cheaper than asking for it."""

    def prepare(
        self, arguments: Mapping[str, Any], context: ClientContext
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Validate the arguments and return the handler's positional and named ones.

        Raises:
            InvalidArgumentsError: They do not fit.
        """

    def output_problems(self, structured: Any) -> list[str]:
        """Return what is wrong with a structured value, measured by the output schema."""
