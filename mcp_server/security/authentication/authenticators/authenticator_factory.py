"""From what a policy says of issuers to authenticators."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.authenticators.authenticator_set import AuthenticatorSet
from mcp_server.security.authentication.authenticators.peer_authenticator import PeerAuthenticator
from mcp_server.security.authentication.change_counter import ChangeCounter
from mcp_server.security.authentication.forward_clock import ForwardClock

if TYPE_CHECKING:
    from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier
    from mcp_server.security.authentication.key_sets.key_source import KeySource
    from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig
    from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier

logger = logging.getLogger(__name__)

REVOCATION_FILE: Final = "revoked.json"
"""In the state directory; `mcp-server token revoke` writes it."""

Report = Callable[[str, Mapping[str, Any]], object]


class AuthenticatorFactory:
    """Make the authenticators of a policy, and again of the next one.

    What must outlive a policy is kept here: the count of changes, and the proofs that were seen.

    Args:
        state_directory: Where the list of what was revoked lives; None for no list.
        report: Puts changes of keys, and an issuer's relaxations, on record.
        clock: Seconds since 1970, never running backwards.
        changes: Counts changes of keys and revocations.

    >>> len(AuthenticatorFactory().build({}).authenticators)
    2
    """

    def __init__(
        self,
        *,
        state_directory: Path | None = None,
        report: Report = lambda kind, fields: None,
        clock: Callable[[], float] | None = None,
        changes: ChangeCounter | None = None,
    ) -> None:
        self._state_directory = state_directory
        self._report = report
        self._clock = ForwardClock() if clock is None else clock
        self._changes = ChangeCounter() if changes is None else changes
        self._proof_verifier: ProofVerifier | None = None

    def build(self, issuers: Mapping[str, IssuerConfig], *, is_start: bool = False) -> AuthenticatorSet:
        """Return the authenticators.

        Args:
            issuers: The issuers of the policy, by their names.
            is_start: Whether an issuer whose keys cannot be read is an error. When a policy is replaced while the
                server runs, it is not: that issuer's tokens are refused, and everybody else goes on.

        Raises:
            ConfigurationError: The keys of an issuer cannot be used at the start.
        """
        from mcp_server.security.authentication.authenticators.certificate_authenticator import (
            CertificateAuthenticator,
        )

        kept = (PeerAuthenticator(), CertificateAuthenticator(clock=self._clock))
        if not issuers:
            return AuthenticatorSet(kept, changes=self._changes)
        from mcp_server.security.authentication.authenticators.token_authenticator import TokenAuthenticator

        watched: list[Callable[[], bool]] = []
        verifier = self.verifier(issuers, is_start=is_start, watched=watched)
        for config in issuers.values():
            if config.rules.relaxations:
                fields = {"issuer": config.rules.name, "relaxed": list(config.rules.relaxations)}
                self._report("config.loaded", fields)
        return AuthenticatorSet(
            (*kept, TokenAuthenticator(verifier=verifier, proofs=self._proofs())),
            watched=watched,
            changes=self._changes,
        )

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
            watched: Gets what looks whether keys or revocations have changed.

        Raises:
            ConfigurationError: The keys of an issuer cannot be used.
        """
        from mcp_server.security.authentication.tokens.revocation_file import RevocationFile
        from mcp_server.security.authentication.tokens.revocation_list import RevocationList
        from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier

        found = [(config.rules, self._source(config, is_start=is_start)) for config in issuers.values()]
        looks = [source.has_changed for _, source in found]
        revocations: Callable[[], RevocationList] = RevocationList
        if self._state_directory is not None:
            file = RevocationFile(self._state_directory / REVOCATION_FILE, report=self._report)
            looks.append(file.has_changed)
            revocations = file.current
        if watched is not None:
            watched += looks
        return TokenVerifier(issuers=found, revocations=revocations, epoch=self._changes, clock=self._clock)

    def _proofs(self) -> ProofVerifier:
        """Return the verifier of proofs, one for all policies: what was seen under one is seen under the next."""
        if self._proof_verifier is None:
            from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier

            self._proof_verifier = ProofVerifier.with_clock(self._clock)
        return self._proof_verifier

    def _local_keys(self, name: str) -> Path | None:
        if self._state_directory is None:
            return None
        from mcp_server.security.authentication.tokens.signing_key_store import KEYS_DIRECTORY, SigningKeyStore

        store = SigningKeyStore(self._state_directory / KEYS_DIRECTORY / name, clock=self._clock)
        # Says which command makes them, when there are none.
        store.published()
        return store.public_file

    def _source(self, config: IssuerConfig, *, is_start: bool) -> KeySource:
        from mcp_server.security.authentication.key_sets.file_key_source import FileKeySource
        from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
        from mcp_server.security.authentication.key_sets.unusable_key_source import UnusableKeySource

        if config.inline is not None:
            return InlineKeySource(config.inline)
        name = config.rules.name
        try:
            path = self._local_keys(name) if config.is_local else config.file
            if path is None:
                raise ConfigurationError(f"there is no place for the keys of issuer {name!r}; give a state directory")
            return FileKeySource(name=name, path=path, report=self._report, is_secret=config.holds_secrets)
        except ConfigurationError as error:
            if is_start:
                raise
            logger.error("tokens of issuer %s are refused: %s", name, error)  # noqa: TRY400 - says all
            self._report("keyset.changed", {"issuer": name, "keys": [], "reason": "the keys cannot be used"})
            return UnusableKeySource()
