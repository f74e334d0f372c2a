"""Asking a human before a call goes on."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mcp_server.errors.consent_required_error import ConsentRequiredError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.security.client_peer import ClientPeer
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.operation import Operation
from mcp_server.security.permissions.permission_type import PermissionType

CONSENT_SECONDS: Final = 120.0
"""How long a human may think; no answer in time is a no. Source: the state that carries the question lives as long."""

MAX_OPEN_QUESTIONS: Final = 4
"""Questions of one client at once: people who are asked too often stop reading."""

OPERATOR_ONLY: Final = frozenset(
    {
        PermissionType.CODE_EXECUTION,
        PermissionType.CODE_EXECUTION_SUDO,
        PermissionType.SYSTEM_COMMAND,
        PermissionType.FILE_WRITE_GLOBAL,
        PermissionType.SECRET_READ,
        PermissionType.DBUS_CALL,
        PermissionType.ADMIN,
    }
)
"""What an answer that travels through the restricted client itself cannot unlock."""

FORM: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"allow": {"type": "boolean", "title": "Allow this call, once"}},
    "required": ["allow"],
}


class ConsentManager:
    r"""Ask the human behind the client, through the client's own dialogue (elicitation).

    It protects an honest user from his model, not the operator from the client; so the kinds in `OPERATOR_ONLY` are
    never asked this way. Every argument is shown, none cut, with control and bidirectional characters made visible.

    Args:
        report: Takes an audit kind and its fields for every question and answer.

    >>> print(ConsentManager.visible("a\u202eb\n"))
    a\u202eb\u000a
    """

    def __init__(self, *, report: Callable[[str, Mapping[str, Any]], object]) -> None:
        self._report = report

    async def ask(
        self,
        *,
        client: str,
        record: ClientRecord,
        operation: Operation,
        wanted: Sequence[tuple[PermissionType, str, str]],
        peer: ClientPeer | None,
        policy: str = "",
        about: str = "",
    ) -> None:
        """Return when the human agreed to all of `wanted`.

        Args:
            client: The client's name.
            record: The client, whose open questions are counted.
            operation: What is to be done.
            wanted: Type, resource, and the resource as the client may see it.
            peer: The other end.
            policy: The digest of the policy in force: an answer given under another one is none.
            about: A digest of what it is about beyond that: an answer about something else is none.

        Raises:
            ConsentRequiredError: Declined, no answer in time, or nobody who may answer can be asked.
            InputRequiredSignal: The question travels to the client in a result.
        """
        missing = [(kind, shown) for kind, _, shown in wanted]
        reserved = sorted({kind for kind, _ in missing if kind in OPERATOR_ONLY})
        if reserved:
            raise ConsentRequiredError(f"{', '.join(reserved)} needs the operator's approval", missing=missing)
        question = self.text(client, operation, [(kind, resource) for kind, resource, _ in wanted])
        await self._put(client, record, operation, wanted, peer, question, f"{policy} {about}")

    async def confirm(
        self,
        *,
        client: str,
        record: ClientRecord,
        operation: Operation,
        permission_type: PermissionType,
        resource: str,
        peer: ClientPeer | None,
        policy: str,
        detail: str,
    ) -> None:
        """Return when the human agreed to what the operator's rule allows, and wants to be confirmed each time.

        It takes nothing from the rule: what no rule allows is not asked about here.

        Args:
            client: The client's name.
            record: The client, whose open questions are counted.
            operation: What is to be done.
            permission_type: The kind of right.
            resource: What it is about.
            peer: The other end.
            policy: The digest of the policy in force.
            detail: What exactly will be done; an answer counts for this alone.

        Raises:
            ConsentRequiredError: Declined, no answer in time, or nobody who may answer can be asked.
            InputRequiredSignal: The question travels to the client in a result.
        """
        question = f"{self.text(client, operation, [(permission_type, resource)])}\n\n{self.visible(detail)}"
        await self._put(
            client, record, operation, [(permission_type, resource, resource)], peer, question, f"{policy} {detail}"
        )

    async def _put(
        self,
        client: str,
        record: ClientRecord,
        operation: Operation,
        wanted: Sequence[tuple[PermissionType, str, str]],
        peer: ClientPeer | None,
        question: str,
        about: str,
    ) -> None:
        """Put a question before the human, and return when he agreed."""
        missing = [(kind, shown) for kind, _, shown in wanted]
        what = ", ".join(f"{kind} {self.visible(shown)!r}" for kind, shown in missing)
        if peer is None or not peer.can_elicit:
            raise ConsentRequiredError(
                f"the policy asks a human before {what}, and this client cannot show a question; "
                "ask the operator for a grant",
                missing=missing,
            )
        if record.open_questions >= MAX_OPEN_QUESTIONS:
            raise ConsentRequiredError("too many questions are open; wait until they are answered", missing=missing)
        fields = {"client": client, "tool": operation.name, "need": [[kind, resource] for kind, resource, _ in wanted]}
        self._report("consent.asked", fields)
        record.open_questions += 1
        try:
            async with asyncio.timeout(CONSENT_SECONDS):
                answer = await peer.elicit(
                    {"message": question, "requestedSchema": FORM},
                    bound_to=f"{operation.definition_hash} {about}",
                    ttl_seconds=CONSENT_SECONDS,
                )
        except TimeoutError as error:
            self._report("consent.expired", fields)
            raise ConsentRequiredError("nobody answered in time", missing=missing) from error
        except ResourceUnavailableError as error:
            self._report("consent.denied", fields)
            raise ConsentRequiredError("the question could not be shown", missing=missing) from error
        finally:
            record.open_questions -= 1
        content = answer.get("content")
        if answer.get("action") != "accept" or not isinstance(content, Mapping) or content.get("allow") is not True:
            self._report("consent.denied", fields)
            raise ConsentRequiredError(f"the human declined {what}; do not retry", missing=missing)
        self._report("consent.granted", fields)

    def text(self, client: str, operation: Operation, wanted: Sequence[tuple[PermissionType, str]]) -> str:
        """Return the question as the human reads it."""
        lines = [f"{client} wants to use {operation.name}.", "", "It needs:"]
        lines += [f"  {kind} {self.visible(name)}" for kind, name in wanted]
        if operation.arguments:
            lines += ["", "Arguments:"]
            for name, value in operation.arguments.items():
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
                lines.append(f"  {self.visible(name)}: {self.visible(text)}")
        return "\n".join(lines)

    @staticmethod
    def visible(text: str) -> str:
        r"""Return `text` with every control, format and unassigned character as `\uXXXX` or `\UXXXXXXXX`."""
        if text.isascii() and text.isprintable():
            return text
        return "".join(
            (f"\\u{ord(each):04x}" if each <= "\uffff" else f"\\U{ord(each):08x}")
            if unicodedata.category(each)[0] == "C" or each in "\u2028\u2029"
            else each
            for each in text
        )
