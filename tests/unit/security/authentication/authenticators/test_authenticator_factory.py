from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.authenticators.authenticator_factory import AuthenticatorFactory
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from tests.support.tokens import AUDIENCE, ED_KEY, ISSUER


def config(file: Path, **rules: Any) -> dict[str, IssuerConfig]:
    return {"as": IssuerConfig(IssuerRules("as", issuer=ISSUER, audience=AUDIENCE, **rules), file=str(file))}


def test_tokens_are_looked_at_only_where_there_is_an_issuer(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [ED_KEY.public_jwk()]}))
    factory = AuthenticatorFactory(state_directory=tmp_path)
    without = [each.kind for each in factory.build({}).authenticators]
    assert without == [EvidenceKind.PEER, EvidenceKind.MTLS, EvidenceKind.KEY]
    with_tokens = factory.build(config(path))
    assert {each.kind for each in with_tokens.authenticators} == {*without, EvidenceKind.JWT}
    # The keys, and what was revoked.
    assert len(with_tokens.watched) == 2


def test_each_relaxation_is_on_record(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [ED_KEY.public_jwk()]}))
    records: list[Any] = []
    factory = AuthenticatorFactory(report=lambda kind, fields: records.append((kind, fields)))
    factory.build(config(path))
    assert records == []
    factory.build(config(path, allows_untyped=True))
    assert records == [("config.loaded", {"issuer": "as", "relaxed": ["accept_untyped_tokens"]})]


def test_keys_that_cannot_be_read_stop_the_start_and_nothing_later(tmp_path: Path) -> None:
    records: list[Any] = []
    factory = AuthenticatorFactory(report=lambda kind, fields: records.append((kind, fields)))
    with pytest.raises(ConfigurationError, match="No such file"):
        factory.build(config(tmp_path / "none"), is_start=True)
    assert len(factory.build(config(tmp_path / "none")).authenticators) == 4
    assert records == [("keyset.changed", {"issuer": "as", "keys": [], "reason": "the keys cannot be used"})]


def test_keys_of_a_file_outlive_a_policy_under_which_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [ED_KEY.public_jwk()]}))
    factory = AuthenticatorFactory()
    first = factory.build(config(path), is_start=True)
    path.write_text("{")
    second = factory.build(config(path))
    for each in (first, second):
        each.look()
    assert factory.verifier(config(path), is_start=False)._issuers[ISSUER][1].keys().select(None).key_id == "as-ed-1"
