"""From evidence to the one client that it amounts to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.clients.client_match import ClientMatch, Handle
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind


class ClientMatcher:
    """Find the client of the policy that all evidence leads to.

    1. A client has ways in which it is recognised. A way fits when everything it demands was found out.
    2. Everything that the peer shows must lead to the client: what its way does not speak of refuses it. So the token
       of one client with the certificate of another leads nowhere. A certificate that the token itself is bound to is
       spoken for by the token, and a key by the client that the policy gives it to, and by nobody else.
    3. Where the operator named the client (`profile`), it is that one, and whatever else is shown must lead to it too.
    4. No client is no, and two clients are no.

    Args:
        ways: The ways in which each client is recognised, by the clients' names.

    >>> ClientMatcher({"ada": ()}).client_of((), profile=None)
    Traceback (most recent call last):
    mcp_server.errors.authentication_error.AuthenticationError: not authenticated
    """

    def __init__(self, ways: Mapping[str, Iterable[ClientMatch]]) -> None:
        self._clients = frozenset(ways)
        self._ways: dict[Handle, list[tuple[str, ClientMatch]]] = {}
        # Whose each name of a certificate is, whatever else their ways demand beside it.
        self._owners: dict[tuple[str, str], set[str]] = {}
        for client, matches in ways.items():
            for match in matches:
                self._ways.setdefault(match.handle, []).append((client, match))
                for fact in match.demands.get(EvidenceKind.MTLS, ()):
                    self._owners.setdefault(fact, set()).add(client)

    def client_of(self, evidence: Iterable[Evidence], *, profile: str | None) -> str:
        """Return the client's name.

        Args:
            evidence: What was found out, one piece a kind.
            profile: The client that the operator named.

        Raises:
            AuthenticationError: The evidence leads to nobody, or not to one client.
        """
        found = {each.kind: each for each in evidence}
        if profile is not None and profile not in self._clients:
            raise AuthenticationError(f"the policy names no client {profile!r}")
        shown = {kind for kind in found if kind.is_shown}
        if not shown and profile is not None:
            return profile
        if not found:
            raise AuthenticationError("no credentials")
        clients = {
            client
            for handle in ClientMatch.handles_of(found)
            for client, match in self._ways.get(handle, ())
            if match.fits(found) and self._is_all_spoken_for(shown, client, match, found)
        }
        if len(clients) != 1:
            what = " and ".join(sorted(found))
            raise AuthenticationError(f"{what}: leads to {'more than one client' if clients else 'no client'}")
        client = clients.pop()
        if profile not in (None, client):
            raise AuthenticationError("what was shown leads to another client than the command line names")
        return client

    def _is_all_spoken_for(
        self, shown: set[EvidenceKind], client: str, match: ClientMatch, found: Mapping[EvidenceKind, Evidence]
    ) -> bool:
        unspoken = shown - match.demands.keys()
        key = found.get(EvidenceKind.KEY)
        if key is not None:
            # The policy says whose key it is, and a way of somebody else does not change that.
            if ("owner", client) not in key.facts:
                return False
            unspoken -= {EvidenceKind.KEY}
        if not unspoken:
            return True
        token, certificate = found.get(EvidenceKind.JWT), found.get(EvidenceKind.MTLS)
        if unspoken != {EvidenceKind.MTLS} or token is None or certificate is None:
            return False
        if token.bound_certificate is None or token.bound_certificate != certificate.bound_certificate:
            return False
        # The token's own certificate; yet where the policy knows it, it must not know it as somebody else's.
        return all(self._owners.get(fact, {client}) <= {client} for fact in certificate.facts)
