from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.network.tls_trust import TLSTrust
from tests.support.authority import Authority


def test_the_context_is_made_once_and_checks() -> None:
    trust = TLSTrust()
    assert not trust.is_ready
    context = trust.context()
    assert trust.is_ready
    assert trust.context() is context
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_authorities_are_believed_beside_those_of_the_machine(tmp_path: Path) -> None:
    pem = Authority(tmp_path).pem
    plain, more = TLSTrust().context(), TLSTrust(authorities=[pem]).context()
    assert len(more.get_ca_certs()) == len(plain.get_ca_certs()) + 1


@pytest.mark.parametrize("wrong", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_an_authority_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="no certificate"):
        TLSTrust(authorities=[wrong]).context()
