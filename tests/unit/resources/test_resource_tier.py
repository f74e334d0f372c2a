from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.network.http_limits import HttpLimits
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.resource_tier import ResourceTier


@pytest.fixture
def tier(tmp_path: Path) -> Iterator[ResourceTier]:
    (tmp_path / "state").mkdir()
    (tmp_path / "folder").mkdir()
    config = ResourceConfig(state_directory=tmp_path / "state", file_limits=FileLimits(max_read_bytes=5), max_threads=2)
    tier = ResourceTier(config=config)
    yield tier
    tier.close()


def test_folders_are_opened_with_the_limits_of_the_configuration(tier: ResourceTier, tmp_path: Path) -> None:
    files = tier.open_files([RootConfig(str(tmp_path / "folder"))])
    assert files is not None
    assert files.limits.max_read_bytes == 5
    files.close()


def test_a_client_without_folders_has_no_files(tier: ResourceTier) -> None:
    assert tier.open_files([]) is None


@pytest.mark.parametrize("name", [".", "state", "state/inner"])
def test_the_servers_own_state_is_given_to_nobody(tier: ResourceTier, tmp_path: Path, name: str) -> None:
    (tmp_path / "state" / "inner").mkdir()
    with pytest.raises(ConfigurationError, match="state"):
        tier.open_files([RootConfig(str(tmp_path / name))])


def test_a_folder_that_is_missing_is_refused(tier: ResourceTier, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        tier.open_files([RootConfig(str(tmp_path / "nowhere"))])


def test_closing_ends_the_threads(tier: ResourceTier) -> None:
    assert asyncio.run(tier.pool.run("a", int)) == 0
    tier.close()
    with pytest.raises(LimitExceededError):
        asyncio.run(tier.pool.run("a", int))


def test_clients_over_http_share_whom_tls_believes_and_nothing_else(tmp_path: Path) -> None:
    limits = HttpLimits(max_redirects=1)
    tier = ResourceTier(config=ResourceConfig(http_limits=limits, authorities=("no certificate",)))
    one, other = tier.open_http("ada"), tier.open_http("eve")
    assert one is not other
    assert one._limits is limits
    assert one._connector is not other._connector
    assert one._trust is other._trust
    with pytest.raises(ConfigurationError, match="no certificate"):
        one._trust.context()
    tier.close()


@pytest.mark.parametrize("problem", [None] if BrokerFactory.problem() is None else [])
def test_brokered_folders_are_opened_with_the_limits_of_the_configuration(
    problem: None, tier: ResourceTier, tmp_path: Path
) -> None:
    roots = [RootConfig(str(tmp_path / "folder"))]
    files = tier.open_brokered_files(roots)
    assert files is not None
    assert (files.limits.max_read_bytes, files.answers_at_once) == (5, False)
    assert files.make_directory(files.locate("new")) is (problem is None)
    other = tier.open_brokered_files(roots)
    assert other is not None
    other.close()
    files.close()
    assert tier.open_brokered_files([]) is None
    with pytest.raises(ConfigurationError, match="state"):
        tier.open_brokered_files([RootConfig(str(tmp_path))])


def test_without_landlock_no_folder_is_opened_at_all(
    tier: ResourceTier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(BrokerFactory, "problem", staticmethod(lambda: "this kernel has no Landlock"))
    with pytest.raises(ConfigurationError, match="separate_process"):
        tier.open_brokered_files([RootConfig(str(tmp_path / "folder"))])
