"""Step 1: who calls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.established_connection import EstablishedConnection
from mcp_server.security.authentication.forward_clock import ForwardClock
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.narrowing import Narrowing

if TYPE_CHECKING:
    from mcp_server.security.authentication.attempt_budget import AttemptBudget
    from mcp_server.security.authentication.authenticators.authenticator_factory import AuthenticatorFactory
    from mcp_server.security.authentication.authenticators.authenticator_set import AuthenticatorSet
    from mcp_server.security.authentication.clients.client_matcher import ClientMatcher
    from mcp_server.security.authentication.evidence import Evidence
    from mcp_server.security.authentication.key_sets.remote_key_source import RemoteKeySource
    from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing
    from mcp_server.security.authentication.peer_identity import PeerIdentity

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
    a token or certificate, and revocations. What reads evidence is made when there first is some: a server over stdio
    starts without.

    Args:
        permissions: Knows which clients the policy names.
        state_directory: Where the list of what was revoked and the keys of local issuers live; None for neither.
        budget: Counts failures by where they come from.
        report: Puts it on record when somebody has shown who he is, and when keys change.
        clock: Seconds since 1970, never running backwards.
        monotonic: Seconds that only count.
        read_parent: Returns what the kernel says of the process that started this one; None where nobody can tell.

    >>> from mcp_server.security.permissions.policy import Policy
    >>> manager = AuthenticationManager(permissions=PermissionManager(policy=Policy.for_folders([], client="local")))
    >>> manager.authenticate(Credentials(transport="stdio", profile="local")).client
    'local'
    """

    def __init__(
        self,
        *,
        permissions: PermissionManager,
        state_directory: Path | None = None,
        budget: AttemptBudget | None = None,
        report: Callable[[str, Mapping[str, Any]], object] = lambda kind, fields: None,
        clock: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        read_parent: Callable[[], PeerIdentity] | None = None,
    ) -> None:
        self._permissions = permissions
        self._state_directory = state_directory
        self._budget = budget
        self._report = report
        self._clock = ForwardClock() if clock is None else clock
        self._monotonic = monotonic
        self._read_parent = read_parent
        self._principals: dict[Credentials, EstablishedConnection] = {}
        self._factory: AuthenticatorFactory | None = None
        # The authenticators and the matcher of one policy, and its epoch; they come and go together.
        self._readers: tuple[int, AuthenticatorSet, ClientMatcher] | None = None
        self._next_look = -math.inf

    def prepare(self) -> None:
        """Make what reads evidence, where the policy speaks of any, so that a mistake in it stops the start.

        Raises:
            ConfigurationError: Keys that the policy names cannot be used.
        """
        policy = self._permissions.policy
        if policy.issuers or any(each.message_keys is not None for each in policy.clients.values()):
            self._read_policy(is_start=True)

    def message_keys(self) -> MessageKeyRing:
        """Return whose keys sign messages by the policy in force, for a `MessageVerifier`."""
        _, authenticators, _ = self._current_readers()
        return authenticators.message_keys

    def due_sources(self) -> list[RemoteKeySource]:
        """Return the sources of keys that are to be fetched now; a `KeySetFetcher` fetches them."""
        if self._readers is None and not self._permissions.policy.issuers:
            return []
        _, authenticators, _ = self._current_readers()
        return [each for each in authenticators.remote if each.is_due]

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
        if credentials.profile is not None and credentials.shows_nothing:
            connection = self._believe_operator(credentials, credentials.profile)
        else:
            connection = self._hear(credentials, known)
        # One entry a connection: `forget` removes it when the connection ends.
        self._principals[credentials] = connection
        return connection.principal

    def forget(self, credentials: Credentials) -> None:
        """Drop what is remembered of a connection that has ended."""
        self._principals.pop(credentials, None)

    def _still_holds(self, known: EstablishedConnection) -> bool:
        _, authenticators, _ = self._current_readers()
        return known.changes == authenticators.changes.number and self._clock() < (known.valid_until or 0.0)

    def _believe_operator(self, credentials: Credentials, profile: str) -> EstablishedConnection:
        epoch = self._permissions.epoch
        self._check_operator(profile)
        return EstablishedConnection(
            Principal(profile, ("local-peer",), credentials.peer), (), policy_epoch=epoch, changes=0
        )

    def _check_operator(self, name: str) -> None:
        """Refuse a client that the policy does not name, or says must be started by another program."""
        profile = self._permissions.profile(name)
        if profile is None:
            raise AuthenticationError(f"the policy names no client {name!r}")
        if not profile.started_by:
            return
        parent = None if self._read_parent is None else self._read_parent()
        if parent is None or parent.executable not in profile.started_by:
            raise AuthenticationError("peer: this server was started by a program that the policy does not name")

    def _hear(self, credentials: Credentials, known: EstablishedConnection | None) -> EstablishedConnection:
        # (2) Listen.
        budget = self._failures()
        budget.check(credentials.source)
        try:
            return self._establish(credentials, known)
        except AuthenticationError:
            budget.count_failure(credentials.source)
            raise

    def _establish(self, credentials: Credentials, known: EstablishedConnection | None) -> EstablishedConnection:
        if credentials.profile is not None:
            self._check_operator(credentials.profile)
        epoch, authenticators, matcher = self._current_readers()
        changes = authenticators.changes.number
        # (3) Examine.
        before = {} if known is None else {each.kind: each for each in known.evidence}
        found = (each.examine(credentials, before.get(each.kind)) for each in authenticators.authenticators)
        evidence = tuple(each for each in found if each is not None)
        # (4) Demand.
        if credentials.listener is not None:
            missing = credentials.listener.require - {each.kind for each in evidence}
            if missing:
                raise AuthenticationError(f"the listener demands {' and '.join(sorted(missing))}")
        # (5) Match.
        client = matcher.client_of(evidence, profile=credentials.profile)
        principal = self._narrowed(_principal(client, evidence, credentials))
        if known is None or known.principal != principal:
            fields = {"client": client, "conn": credentials.connection, "methods": list(principal.methods)}
            self._report("auth.ok", {**fields, "subject": principal.subject})
        valid_until = min((each.valid_until for each in evidence), default=math.inf)
        return EstablishedConnection(principal, evidence, policy_epoch=epoch, changes=changes, valid_until=valid_until)

    def _narrowed(self, principal: Principal) -> Principal:
        """Leave a principal what its token's scopes cover, where the policy says of scopes what they cover.

        Raises:
            AuthenticationError: The token has more scopes than anybody reads.
        """
        if principal.scopes is None or not self._permissions.policy.scopes:
            return principal
        try:
            return replace(principal, narrowing=Narrowing.of(scopes=principal.scopes))
        except ConfigurationError as error:
            raise AuthenticationError(f"token: {error}") from error

    def _current_readers(self) -> tuple[int, AuthenticatorSet, ClientMatcher]:
        """Return what reads evidence by the policy in force, once it has looked whether keys have changed."""
        if self._readers is None or self._readers[0] != self._permissions.epoch:
            self._read_policy(is_start=False)
        assert self._readers is not None
        now = self._monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._readers[1].look()
        return self._readers

    def _read_policy(self, *, is_start: bool) -> None:
        from mcp_server.security.authentication.authenticators.authenticator_factory import AuthenticatorFactory
        from mcp_server.security.authentication.clients.client_matcher import ClientMatcher

        if self._factory is None:
            self._factory = AuthenticatorFactory(
                state_directory=self._state_directory, report=self._report, clock=self._clock, monotonic=self._monotonic
            )
        # The epoch first: a policy that comes in between is read by the next call.
        epoch = self._permissions.epoch
        policy = self._permissions.policy
        keys = {name: each.message_keys for name, each in policy.clients.items() if each.message_keys is not None}
        authenticators = self._factory.build(policy.issuers, keys, is_start=is_start)
        matcher = ClientMatcher({name: each.matches for name, each in policy.clients.items()})
        self._readers = (epoch, authenticators, matcher)
        # What an earlier policy had may have changed while nobody looked.
        self._next_look = -math.inf

    def _failures(self) -> AttemptBudget:
        if self._budget is None:
            from mcp_server.security.authentication.attempt_budget import AttemptBudget

            self._budget = AttemptBudget(clock=self._monotonic)
        return self._budget


def _principal(client: str, evidence: tuple[Evidence, ...], credentials: Credentials) -> Principal:
    shown = [each for each in evidence if each.kind.is_shown]
    return Principal(
        client,
        tuple(method for each in evidence for method in each.methods),
        credentials.peer,
        subject=next((each.subject for each in shown or evidence if each.subject), None),
        scopes=next((each.scopes for each in shown if each.scopes is not None), None),
    )
