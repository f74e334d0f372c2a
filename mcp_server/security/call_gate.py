"""Step 2 for one call, and the lock on its doors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.operation import Operation
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED
from mcp_server.security.permissions.resource_patterns import compile_pattern
from mcp_server.security.running_call import RunningCall

# Looking a member of an enumeration up is not free, and this is done for every resource.
_DENY: Final = Effect.DENY
_ASK: Final = Effect.ASK

_path_pattern: Final = lru_cache(maxsize=1024)(PathPattern.compile)
_resource_pattern: Final = lru_cache(maxsize=1024)(compile_pattern)


class CallGate:
    """Decide what one call may touch: declared by its tool, granted by the policy, agreed to where it says ask.

    A declaration that is bound to an argument opens the door to what this call's argument names, and to what lies below
    it, not to everything of its pattern. When the call has ended, nothing opens any more.

    Args:
        principal: Who calls.
        record: The client's folders and limits.
        operation: What was planned; its declared permissions bound everything.
        permissions: The policy in force.
        consent: Asks the human where the policy says ask.
        call: The call, None when nobody can be asked.
        evidence: Collects the decisions, each as type, resource and rule, for the audit.
    """

    __slots__ = (
        "_agreed",
        "_bound",
        "_call",
        "_consent",
        "_evidence",
        "_granted",
        "_operation",
        "_permissions",
        "_principal",
        "_record",
        "_stances",
    )

    def __init__(
        self,
        principal: Principal,
        record: ClientRecord,
        operation: Operation,
        permissions: PermissionManager,
        consent: ConsentManager,
        call: RunningCall | None,
        evidence: list[list[str]],
    ) -> None:
        self._principal = principal
        self._record = record
        self._operation = operation
        self._permissions = permissions
        self._consent = consent
        self._call = call
        self._agreed: set[tuple[str, str]] = set()
        # What this call's arguments name, each with the declarations that are bound to it.
        self._bound: dict[str, list[Permission]] = {}
        # What was granted in this call already, and under which epoch of the policy.
        self._granted: dict[tuple[str, str], int] = {}
        # What the policy was asked about what lies behind a resource, and under which epoch it went on record.
        self._stances: dict[tuple[str, str], int] = {}
        self._evidence = evidence

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        """Return when the door may open; see `AccessGate.require`.

        What the same call was granted under the same policy is granted still, and on record already.
        """
        granted = self._granted.get((permission_type, resource))
        if granted == self._permissions.epoch and (self._call is None or not self._call.has_ended):
            return
        await self.require_all([(permission_type, resource, relative, None)])

    async def require_all(
        self, wanted: Sequence[tuple[PermissionType, str, str | None, Permission | None]], *, about: str = ""
    ) -> None:
        """Return when all of `wanted` are permitted; every missing one is named at once.

        Args:
            wanted: Type, canonical resource, the resource relative to the client's folder, and the declaration it is
                bound to (None: any declaration of the tool will do).
            about: A digest of what a human is asked about beyond the resources, such as the content that would be
                written: an answer counts for this alone.

        Raises:
            PermissionDeniedError: Something is not declared, not granted or not agreed to, or the call has ended.
        """
        call = self._call
        if call is not None and call.has_ended:
            raise PermissionDeniedError("the call has ended; what it was permitted ended with it")
        # Read before the first decision: one that a reload overtakes is made anew at the door.
        epoch = self._permissions.epoch
        principal = self._principal
        missing: list[tuple[str, str]] = []
        undeclared: list[tuple[str, str]] = []
        asks: list[tuple[PermissionType, str, str]] = []
        counted: list[tuple[PermissionType, str, GrantLimits]] = []
        for permission_type, resource, relative, declaration in wanted:
            shown = relative if relative is not None else resource
            if not self._is_declared(permission_type, resource, relative, declaration):
                undeclared.append((permission_type, shown))
                self._evidence.append([str(permission_type), resource, "undeclared"])
                continue
            if declaration is not None:
                self._bound.setdefault(resource, []).append(declaration)
            decision = self._permissions.decide_use(principal.client, permission_type, resource, principal.narrowing)
            self._evidence.append([str(permission_type), resource, decision.rule or decision.layer])
            if decision.effect is _DENY:
                missing.append((permission_type, shown))
                continue
            if decision.uses is not None:
                counted.append((permission_type, shown, decision.uses))
            if decision.effect is _ASK and (permission_type, resource) not in self._agreed:
                asks.append((permission_type, resource, shown))
        if undeclared or missing:
            raise PermissionDeniedError(self._refusal(undeclared, missing), missing=[*undeclared, *missing])
        if asks:
            await self._ask(asks, about)
            self._agreed.update((kind, resource) for kind, resource, _ in asks)
        if counted and not self._permissions.spend([uses for _, _, uses in counted]):
            # Somebody else took the last use meanwhile, or this call wants more than there are.
            raise PermissionDeniedError(
                self._refusal((), [each[:2] for each in counted]), missing=[each[:2] for each in counted]
            )
        self._granted.update(((kind, resource), epoch) for kind, resource, _, _ in wanted)

    def allows(
        self,
        permission_type: PermissionType,
        resource: str,
        relative: str | None = None,
        declaration: Permission | None = None,
    ) -> bool:
        """Whether the door would open without asking anybody: for filtering what a listing shows."""
        return self._effect(permission_type, resource, relative, declaration) is Effect.ALLOW

    def could_allow(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        """Whether the door would open, if need be after a human agreed."""
        return self._effect(permission_type, resource, relative, None) in (Effect.ALLOW, Effect.ASK)

    def standing(self, permission_type: PermissionType, resource: str) -> Callable[[], bool]:
        """Return what tells, after the call as well, whether the policy in force grants its client this still.

        It opens no door: it is for ending what a call left running when that is permitted no more.
        """
        permissions, client, narrowing = self._permissions, self._principal.client, self._principal.narrowing
        return lambda: permissions.decide(client, permission_type, resource, narrowing).effect is Effect.ALLOW

    def _effect(
        self,
        permission_type: PermissionType,
        resource: str,
        relative: str | None,
        declaration: Permission | None,
    ) -> Effect:
        if self._call is not None and self._call.has_ended:
            return Effect.DENY
        if not self._is_declared(permission_type, resource, relative, declaration):
            return Effect.DENY
        principal = self._principal
        return self._permissions.decide(principal.client, permission_type, resource, principal.narrowing).effect

    def stance(self, permission_type: PermissionType, resource: str) -> Effect | None:
        """Return what the policy says of something that lies behind a permitted resource; see `NetworkGate.stance`."""
        if self._call is not None and self._call.has_ended:
            raise PermissionDeniedError("the call has ended; what it was permitted ended with it")
        permissions, client, narrowing = self._permissions, self._principal.client, self._principal.narrowing
        epoch = permissions.epoch
        decision = permissions.decide(client, permission_type, resource, narrowing)
        effect: Effect | None = decision.effect
        rule = decision.rule
        if effect is Effect.DENY and not rule:
            # Silence, of some layer: it hides what another has to say.
            traces = permissions.explain(client, permission_type, resource, narrowing)
            rule = next((trace.rule for trace in traces if trace.effect is Effect.DENY and trace.rule), "")
            effect = Effect.DENY if rule else None
        if self._stances.get((permission_type, resource)) != epoch:
            self._stances[permission_type, resource] = epoch
            self._evidence.append([str(permission_type), resource, rule or decision.layer])
        return effect

    def note(self, permission_type: PermissionType, resource: str, what: str) -> None:
        """Put on record what became of something behind a door that is open, in the words of whoever decided it."""
        self._evidence.append([str(permission_type), resource, what])

    async def confirm(self, permission_type: PermissionType, resource: str, detail: str) -> None:
        """Return when a human confirmed what was permitted already; the time he takes is not the call's.

        Args:
            permission_type: The kind of right.
            resource: What it is about.
            detail: What exactly will be done; an answer counts for this alone.

        Raises:
            PermissionDeniedError: He did not, or could not be asked.
        """
        call = self._call
        if call is None or call.has_ended:
            raise PermissionDeniedError("the call has ended; what it was permitted ended with it")
        call.waiting += 1
        try:
            await self._consent.confirm(
                client=self._principal.client,
                record=self._record,
                operation=self._operation,
                permission_type=permission_type,
                resource=resource,
                peer=call.peer,
                policy=self._permissions.policy.digest,
                detail=detail,
            )
        finally:
            call.waiting -= 1

    async def _ask(self, asks: Sequence[tuple[PermissionType, str, str]], about: str) -> None:
        """Ask the human; the time he takes is not the call's."""
        call = self._call
        if call is not None:
            call.waiting += 1
        try:
            await self._consent.ask(
                client=self._principal.client,
                record=self._record,
                operation=self._operation,
                wanted=asks,
                peer=None if call is None else call.peer,
                policy=self._permissions.policy.digest,
                about=about,
            )
        finally:
            if call is not None:
                call.waiting -= 1

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
                if declaration is None and each.argument is not None and not self._is_bound(each, resource):
                    continue
                pattern = each.pattern
                if pattern in ("**", "*") and (pattern == "**" or not permission_type.is_path):
                    return True
                if not permission_type.is_path:
                    if _resource_pattern(each.type, pattern).matches(resource):
                        return True
                elif pattern.startswith("/"):
                    if _path_pattern(pattern).matches(resource):
                        return True
                elif relative is not None and _path_pattern(pattern).matches(relative):
                    return True
        return False

    def _is_bound(self, declaration: Permission, resource: str) -> bool:
        """Whether the argument of a bound declaration names the resource, or a directory above it."""
        if declaration in self._bound.get(resource, ()):
            return True
        return declaration.type.is_path and any(
            resource.startswith(name + "/") and declaration in declarations
            for name, declarations in self._bound.items()
        )

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
