"""One way in which a client of the policy is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind

_HANDLES: Final = (
    (EvidenceKind.JWT, "subject"),
    (EvidenceKind.JWT, "client_id"),
    (EvidenceKind.MTLS, "san_uri"),
    (EvidenceKind.MTLS, "san_dns"),
    (EvidenceKind.MTLS, "spki_sha256"),
    (EvidenceKind.KEY, "id"),
    (EvidenceKind.PEER, "uid"),
)
"""By which of its facts a way is looked up; the first that it has."""

Handle = tuple[EvidenceKind, str, str]


@dataclass(frozen=True, slots=True)
class ClientMatch:
    """Facts that must all have been found out, of each kind that is named.

    Args:
        demands: For each kind of evidence, what its facts must hold.

    >>> match = ClientMatch({EvidenceKind.MTLS: frozenset({("san_uri", "spiffe://example/reporter")})})
    >>> match.handle
    (<EvidenceKind.MTLS: 'mtls'>, 'san_uri', 'spiffe://example/reporter')
    """

    demands: Mapping[EvidenceKind, frozenset[tuple[str, str]]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "demands", MappingProxyType(dict(self.demands)))

    @property
    def handle(self) -> Handle:
        """The fact by which it is looked up.

        Raises:
            ValueError: It names none that tells one peer from another.
        """
        for kind, name in _HANDLES:
            for each, value in self.demands.get(kind, ()):
                if each == name:
                    return kind, name, value
        raise ValueError("a match must name a subject, a client_id, a name of a certificate, a key or a uid")

    def fits(self, evidence: Mapping[EvidenceKind, Evidence]) -> bool:
        """Whether all that it demands was found out."""
        return all(kind in evidence and facts <= evidence[kind].facts for kind, facts in self.demands.items())

    def to_json(self) -> dict[str, list[list[str]]]:
        """Return it as JSON, for the digest of the policy."""
        return {kind.value: sorted(map(list, facts)) for kind, facts in sorted(self.demands.items())}

    @staticmethod
    def handles_of(evidence: Mapping[EvidenceKind, Evidence]) -> list[Handle]:
        """Return the handles under which a way may stand that fits the evidence."""
        names = set(_HANDLES)
        return [
            (kind, name, value)
            for kind, each in evidence.items()
            for name, value in each.facts
            if (kind, name) in names
        ]
