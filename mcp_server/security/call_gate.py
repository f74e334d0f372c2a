"""Step 2 for one call, and the lock on its doors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.client_peer import ClientPeer
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.operation import Operation
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern

_path_pattern: Final = lru_cache(maxsize=1024)(PathPattern.compile)
_resource_pattern: Final = lru_cache(maxsize=1024)(ResourcePattern.compile)


class CallGate:
    """Decide what one call may touch: declared by its tool, granted by the policy, agreed to where it says ask.

    Args:
        principal: Who calls.
        record: The client's folders and limits.
        operation: What was planned; its declared permissions bound everything.
        permissions: The policy in force.
        consent: Asks the human where the policy says ask.
        peer: The other end of the call.
        evidence: Collects the decisions, each as type, resource and rule, for the audit.
    """

    __slots__ = ("_agreed", "_consent", "_evidence", "_operation", "_peer", "_permissions", "_principal", "_record")

    def __init__(
        self,
        *,
        principal: Principal,
        record: ClientRecord,
        operation: Operation,
        permissions: PermissionManager,
        consent: ConsentManager,
        peer: ClientPeer | None,
        evidence: list[list[str]],
    ) -> None:
        self._principal = principal
        self._record = record
        self._operation = operation
        self._permissions = permissions
        self._consent = consent
        self._peer = peer
        self._agreed: set[tuple[str, str]] = set()
        self._evidence = evidence

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        """Return when the door may open; see `AccessGate.require`."""
        await self.require_all([(permission_type, resource, relative, None)])

    async def require_all(self, wanted: Sequence[tuple[PermissionType, str, str | None, Permission | None]]) -> None:
        """Return when all of `wanted` are permitted; every missing one is named at once.

        Args:
            wanted: Type, canonical resource, the resource relative to the client's folder, and the declaration it is
                bound to (None: any declaration of the tool will do).

        Raises:
            PermissionDeniedError: Something is not declared, not granted or not agreed to.
        """
        missing: list[tuple[str, str]] = []
        undeclared: list[tuple[str, str]] = []
        asks: list[tuple[PermissionType, str, str]] = []
        for permission_type, resource, relative, declaration in wanted:
            shown = relative if relative is not None else resource
            if not self._is_declared(permission_type, resource, relative, declaration):
                undeclared.append((permission_type, shown))
                self._evidence.append([str(permission_type), resource, "undeclared"])
                continue
            decision = self._permissions.decide(self._principal.client, permission_type, resource)
            self._evidence.append([str(permission_type), resource, decision.rule or decision.layer])
            if decision.effect is Effect.DENY:
                missing.append((permission_type, shown))
            elif decision.effect is Effect.ASK and (permission_type, resource) not in self._agreed:
                asks.append((permission_type, resource, shown))
        if undeclared or missing:
            raise PermissionDeniedError(self._refusal(undeclared, missing), missing=[*undeclared, *missing])
        if asks:
            await self._consent.ask(
                client=self._principal.client,
                record=self._record,
                operation=self._operation,
                wanted=asks,
                peer=self._peer,
            )
            self._agreed.update((kind, resource) for kind, resource, _ in asks)

    def allows(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        """Whether the door would open without asking anybody: for filtering what a listing shows."""
        if not self._is_declared(permission_type, resource, relative, None):
            return False
        return self._permissions.decide(self._principal.client, permission_type, resource).effect is Effect.ALLOW

    def _is_declared(
        self, permission_type: PermissionType, resource: str, relative: str | None, declaration: Permission | None
    ) -> bool:
        declared = self._operation.permissions if declaration is None else (declaration,)
        for each in declared:
            if resource == UNRESTRICTED and not each.restricted and each.type == permission_type:
                return True
            if each.type == permission_type or (
                each.type == PermissionType.FILE_WRITE and permission_type == PermissionType.FILE_WRITE_GLOBAL
            ):
                pattern = each.pattern
                if pattern in ("**", "*") and (pattern == "**" or not permission_type.is_path):
                    return True
                if not permission_type.is_path:
                    if _resource_pattern(pattern).matches(resource):
                        return True
                elif pattern.startswith("/"):
                    if _path_pattern(pattern).matches(resource):
                        return True
                elif relative is not None and _path_pattern(pattern).matches(relative):
                    return True
        return False

    def _refusal(self, undeclared: Sequence[tuple[str, str]], missing: Sequence[tuple[str, str]]) -> str:
        parts: list[str] = []
        if undeclared:
            what = ", ".join(f"{kind} {name!r}" for kind, name in undeclared)
            parts.append(f"this operation is not declared to use {what}")
        if missing:
            what = ", ".join(f"{kind} {name!r}" for kind, name in missing)
            parts.append(f"missing permission: {what}")
            parts.append(
                "only the operator can grant it in the policy; do not retry, choose another resource or say so"
            )
        return "; ".join(parts)
