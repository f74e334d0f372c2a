"""Step 1: who calls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.attempt_budget import AttemptBudget
from mcp_server.security.authentication.authenticators.authenticator_factory import AuthenticatorFactory
from mcp_server.security.authentication.authenticators.authenticator_set import AuthenticatorSet
from mcp_server.security.authentication.clients.client_matcher import ClientMatcher
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.established_connection import EstablishedConnection
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.permission_manager import PermissionManager

LOOK_SECONDS: Final = 1.0
"""How often keys and revocations are looked at, some system calls each: what was revoked is refused a second later."""


class AuthenticationManager:
    """Turn credentials into a principal, or refuse.

    A local peer over stdio is whoever the operator said on the command line: the operating system started the pair,
    and the profile's name was written by the operator. Whoever comes another way shows evidence, all of which must lead
    to the same client of the policy (`ClientMatcher`). What the client says of itself (`clientInfo`) maps nothing.

    1. A connection that is known, in the same policy and with the same keys and revocations, and whose evidence still
       holds, is who it was: one look-up.
    2. A source that has failed too often is not listened to.
    3. Each authenticator says what the credentials prove; one that is shown something bad refuses.
    4. What the listener demands must be there.
    5. The evidence leads to a client.

    The policy is looked at on every call, so that a client which a reload removed is refused at once; so are the end of
    a token or certificate, and revocations.

    Args:
        permissions: Knows which clients the policy names.
        factory: Makes the authenticators of a policy.
        budget: Counts failures by where they come from.
        report: Puts it on record when somebody has shown who he is.
        clock: Seconds since 1970.
        monotonic: Seconds that only count.

    >>> from mcp_server.security.permissions.policy import Policy
    >>> manager = AuthenticationManager(permissions=PermissionManager(policy=Policy.for_folders([], client="local")))
    >>> manager.authenticate(Credentials(transport="stdio", profile="local")).client
    'local'
    """

    def __init__(
        self,
        *,
        permissions: PermissionManager,
        factory: AuthenticatorFactory | None = None,
        budget: AttemptBudget | None = None,
        report: Callable[[str, Mapping[str, Any]], object] = lambda kind, fields: None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._permissions = permissions
        self._factory = AuthenticatorFactory(report=report, clock=clock) if factory is None else factory
        self._budget = AttemptBudget(clock=monotonic) if budget is None else budget
        self._report = report
        self._clock = clock
        self._monotonic = monotonic
        self._principals: dict[Credentials, EstablishedConnection] = {}
        self._policy_epoch = -1
        self._next_look = -math.inf
        self._matcher = ClientMatcher({})
        self._authenticators = AuthenticatorSet(())

    def prepare(self) -> None:
        """Make the authenticators of the first policy, so that a mistake in it stops the start.

        Raises:
            ConfigurationError: The keys of an issuer cannot be used.
        """
        self._take_up_policy(is_start=True)

    def message_keys(self) -> MessageKeyRing:
        """Return whose keys sign messages by the policy in force, for a `MessageVerifier`."""
        if self._policy_epoch != self._permissions.epoch:
            self._take_up_policy(is_start=False)
        self._look()
        return self._authenticators.message_keys

    def authenticate(self, credentials: Credentials) -> Principal:
        """Return the principal that the credentials amount to.

        Raises:
            AuthenticationError: They amount to nobody the policy names. Whatever the reason, the answer is the same;
                the reason is for the audit.
        """
        # (1) Known.
        known = self._principals.get(credentials)
        if (
            known is not None
            and known.policy_epoch == self._permissions.epoch
            and (known.valid_until is None or self._still_holds(known))
        ):
            return known.principal
        # (2) Listen.
        self._budget.check(credentials.source)
        try:
            connection = self._establish(credentials, known)
        except AuthenticationError:
            self._budget.count_failure(credentials.source)
            raise
        # One entry a connection: `forget` removes it when the connection ends.
        self._principals[credentials] = connection
        return connection.principal

    def forget(self, credentials: Credentials) -> None:
        """Drop what is remembered of a connection that has ended."""
        self._principals.pop(credentials, None)

    def _still_holds(self, known: EstablishedConnection) -> bool:
        self._look()
        return known.changes == self._authenticators.changes.number and self._clock() < (known.valid_until or 0.0)

    def _establish(self, credentials: Credentials, known: EstablishedConnection | None) -> EstablishedConnection:
        if self._policy_epoch != self._permissions.epoch:
            self._take_up_policy(is_start=False)
        epoch = self._policy_epoch
        self._look()
        changes = self._authenticators.changes.number
        # (3) Examine.
        evidence = self._examine(credentials, () if known is None else known.evidence)
        # (4) Demand.
        missing = credentials.listener.require - {each.kind for each in evidence}
        if missing:
            raise AuthenticationError(f"the listener demands {' and '.join(sorted(missing))}")
        # (5) Match.
        client = self._matcher.client_of(evidence, profile=credentials.profile)
        shown = [each for each in evidence if each.kind.is_shown]
        if not shown and credentials.profile is not None:
            return EstablishedConnection(
                Principal(client, ("local-peer",), credentials.peer), evidence, policy_epoch=epoch, changes=changes
            )
        principal = Principal(
            client,
            tuple(method for each in evidence for method in each.methods),
            credentials.peer,
            subject=next((each.subject for each in shown or evidence if each.subject), None),
            scopes=next((each.scopes for each in shown if each.scopes is not None), None),
        )
        if known is None or known.principal != principal:
            fields = {"client": client, "conn": credentials.connection, "methods": list(principal.methods)}
            self._report("auth.ok", {**fields, "subject": principal.subject})
        valid_until = min((each.valid_until for each in evidence), default=math.inf)
        return EstablishedConnection(principal, evidence, policy_epoch=epoch, changes=changes, valid_until=valid_until)

    def _examine(self, credentials: Credentials, earlier: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        before = {each.kind: each for each in earlier}
        found = (each.examine(credentials, before.get(each.kind)) for each in self._authenticators.authenticators)
        return tuple(each for each in found if each is not None)

    def _take_up_policy(self, *, is_start: bool) -> None:
        # The epoch first: a policy that comes in between is taken up by the next call.
        epoch = self._permissions.epoch
        policy = self._permissions.policy
        message_keys = {
            name: profile.message_keys for name, profile in policy.clients.items() if profile.message_keys is not None
        }
        authenticators = self._factory.build(policy.issuers, message_keys, is_start=is_start)
        self._matcher = ClientMatcher({name: profile.matches for name, profile in policy.clients.items()})
        self._authenticators = authenticators
        self._policy_epoch = epoch

    def _look(self) -> None:
        now = self._monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._authenticators.look()
