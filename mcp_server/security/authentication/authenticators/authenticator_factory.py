"""From what a policy says of issuers to authenticators."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.authenticators.authenticator_set import AuthenticatorSet
from mcp_server.security.authentication.authenticators.peer_authenticator import PeerAuthenticator
from mcp_server.security.authentication.authenticators.signature_authenticator import SignatureAuthenticator
from mcp_server.security.authentication.change_counter import ChangeCounter
from mcp_server.security.authentication.forward_clock import ForwardClock
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing

if TYPE_CHECKING:
    from mcp_server.security.authentication.authenticators.authenticator import Authenticator
    from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier
    from mcp_server.security.authentication.key_sets.file_key_source import FileKeySource
    from mcp_server.security.authentication.key_sets.key_set import KeySet
    from mcp_server.security.authentication.key_sets.key_source import KeySource
    from mcp_server.security.authentication.key_sets.remote_key_source import RemoteKeySource
    from mcp_server.security.authentication.messages.message_key_config import MessageKeyConfig
    from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig
    from mcp_server.security.authentication.tokens.revocation_file import RevocationFile
    from mcp_server.security.authentication.tokens.revocation_list import RevocationList
    from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier

REVOCATION_FILE: Final = "revoked.json"
"""In the state directory; `mcp-server token revoke` writes it."""

Report = Callable[[str, Mapping[str, Any]], object]


class AuthenticatorFactory:
    """Make the authenticators of a policy, and again of the next one.

    What must outlive a policy is kept here: the count of changes, what was revoked, the proofs that were seen, and keys
    that were read or fetched.

    Args:
        state_directory: Where the list of what was revoked lives; None for no list.
        report: Puts changes of keys, and an issuer's relaxations, on record.
        clock: Seconds since 1970, never running backwards.
        changes: Counts changes of keys and revocations.
        monotonic: Seconds that only count.

    >>> len(AuthenticatorFactory().build({}).authenticators)
    3
    """

    def __init__(
        self,
        *,
        state_directory: Path | None = None,
        report: Report = lambda kind, fields: None,
        clock: Callable[[], float] | None = None,
        changes: ChangeCounter | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state_directory = state_directory
        self._report = report
        self._clock = ForwardClock() if clock is None else clock
        self._changes = ChangeCounter() if changes is None else changes
        self._monotonic = monotonic
        self._remote: dict[tuple[str, ...], RemoteKeySource] = {}
        self._files: dict[tuple[str, str, bool], FileKeySource] = {}
        self._revocation_file: RevocationFile | None = None
        self._proof_verifier: ProofVerifier | None = None

    def build(
        self,
        issuers: Mapping[str, IssuerConfig],
        message_keys: Mapping[str, MessageKeyConfig] = MappingProxyType({}),
        *,
        is_start: bool = False,
    ) -> AuthenticatorSet:
        """Return the authenticators.

        Args:
            issuers: The issuers of the policy, by their names.
            message_keys: Where the keys come from with which clients sign messages, by the clients' names.
            is_start: Whether keys that cannot be read are an error. When a policy is replaced while the server runs,
                they are not: what they verify is refused, and everybody else goes on.

        Raises:
            ConfigurationError: Keys cannot be used at the start.
        """
        from mcp_server.security.authentication.authenticators.certificate_authenticator import (
            CertificateAuthenticator,
        )

        revocations, watched = self._revoked()
        certificates = CertificateAuthenticator(clock=self._clock, revocations=revocations)
        found: list[Authenticator] = [PeerAuthenticator(), certificates]
        if issuers:
            from mcp_server.security.authentication.authenticators.token_authenticator import TokenAuthenticator

            verifier = self.verifier(issuers, is_start=is_start, watched=watched)
            found.append(TokenAuthenticator(verifier=verifier, proofs=self._proofs()))
        for config in issuers.values():
            if config.rules.relaxations:
                fields = {"issuer": config.rules.name, "relaxed": list(config.rules.relaxations)}
                self._report("config.loaded", fields)
        remote = tuple(self._remote_source(each) for each in issuers.values() if each.remote is not None)
        ring = MessageKeyRing(
            {
                client: self._source(f"client {client}", each.inline, each.file, is_secret=True, is_start=is_start)
                for client, each in message_keys.items()
            }
        )
        found.append(SignatureAuthenticator())
        watched += ring.watched
        return AuthenticatorSet(tuple(found), watched=watched, changes=self._changes, remote=remote, message_keys=ring)

    def verifier(
        self,
        issuers: Mapping[str, IssuerConfig],
        *,
        is_start: bool = True,
        watched: list[Callable[[], bool]] | None = None,
    ) -> TokenVerifier:
        """Return what judges tokens of these issuers.

        Args:
            issuers: The issuers of the policy, by their names.
            is_start: Whether an issuer whose keys cannot be read is an error.
            watched: Gets what looks whether keys have changed.

        Raises:
            ConfigurationError: The keys of an issuer cannot be used.
        """
        from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier

        found = [(config.rules, self._issuer_source(config, is_start=is_start)) for config in issuers.values()]
        if watched is not None:
            watched += [source.has_changed for _, source in found]
        revocations, _ = self._revoked()
        return TokenVerifier(issuers=found, revocations=revocations, epoch=self._changes, clock=self._clock)

    def _revoked(self) -> tuple[Callable[[], RevocationList], list[Callable[[], bool]]]:
        """Return what tells the list of what was revoked, and what looks whether it has changed.

        One file for all policies: a list that is gone stays in force, under the next policy too.
        """
        from mcp_server.security.authentication.tokens.revocation_file import RevocationFile
        from mcp_server.security.authentication.tokens.revocation_list import RevocationList

        if self._state_directory is None:
            return RevocationList, []
        if self._revocation_file is None:
            self._revocation_file = RevocationFile(self._state_directory / REVOCATION_FILE, report=self._report)
        return self._revocation_file.current, [self._revocation_file.has_changed]

    def _proofs(self) -> ProofVerifier:
        """Return the verifier of proofs, one for all policies: what was seen under one is seen under the next."""
        if self._proof_verifier is None:
            from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier

            self._proof_verifier = ProofVerifier.with_clock(self._clock)
        return self._proof_verifier

    def _remote_source(self, config: IssuerConfig) -> RemoteKeySource:
        """Return the source of keys that are fetched, the same one for as long as the policy says the same."""
        from mcp_server.security.authentication.key_sets.remote_key_source import RemoteKeySource

        assert config.remote is not None
        rules = config.rules
        name = (rules.name, rules.issuer, *map(str, config.remote.to_json()))
        if name not in self._remote:
            self._remote[name] = RemoteKeySource(
                name=rules.name,
                issuer=rules.issuer,
                address=config.remote,
                clock=self._monotonic,
                report=self._report,
            )
        return self._remote[name]

    def _issuer_source(self, config: IssuerConfig, *, is_start: bool) -> KeySource:
        if config.remote is not None:
            return self._remote_source(config)
        name, file = config.rules.name, config.file or ""
        if config.is_local:
            if self._state_directory is not None:
                from mcp_server.security.authentication.tokens.signing_key_store import KEYS_DIRECTORY, PUBLIC_FILE

                file = str(self._state_directory / KEYS_DIRECTORY / name / PUBLIC_FILE)
            if is_start and not Path(file).is_file():
                raise ConfigurationError(
                    f"the issuer {name!r} has no keys yet; make them: mcp-server keys generate {name}", source=file
                )
        return self._source(name, config.inline, file, is_secret=config.holds_secrets, is_start=is_start)

    def _source(
        self, name: str, inline: KeySet | None, file: str | None, *, is_secret: bool, is_start: bool
    ) -> KeySource:
        """Return the source of keys in the policy or in a file; of a file, the same one for all policies."""
        if inline is not None:
            from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource

            return InlineKeySource(inline)
        place = (name, file or "", is_secret)
        if place not in self._files:
            from mcp_server.security.authentication.key_sets.file_key_source import FileKeySource

            self._files[place] = FileKeySource(
                name=name, path=file or "", report=self._report, is_secret=is_secret, must_work=is_start
            )
        return self._files[place]
