from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.tokens.issuer_rules import MOST_LEEWAY_SECONDS, MOST_LIFETIME_SECONDS
from mcp_server.security.authentication.tokens.signing_key_store import PUBLISH_SECONDS, SigningKeyStore
from tests.security.chain.fake_clock import FakeClock

LIVES = MOST_LIFETIME_SECONDS + MOST_LEEWAY_SECONDS


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_000_000)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "home"


@pytest.fixture
def store(directory: Path, clock: FakeClock) -> SigningKeyStore:
    return SigningKeyStore(directory, clock=clock)


def test_the_first_key_signs_and_is_published(store: SigningKeyStore, directory: Path) -> None:
    key_id = store.generate()
    keys = KeySet.parse(store.public_file.read_bytes())
    keys.select(key_id).verify(b"x", store.signing_key().sign(b"x"))
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (directory.parent, *directory.rglob("*"))}
    assert modes == {"keys": 0o700, "keys.json": 0o600, "signing.json": 0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert '"d"' not in store.public_file.read_text()


def test_there_is_one_first_key(store: SigningKeyStore) -> None:
    store.generate()
    with pytest.raises(ConfigurationError, match="keys rotate"):
        store.generate()


@pytest.mark.parametrize("act", ["signing_key", "published", "rotate"])
def test_without_keys_it_says_how_to_make_them(store: SigningKeyStore, act: str) -> None:
    with pytest.raises(ConfigurationError, match="mcp-server keys generate home"):
        getattr(store, act)()


def test_a_new_key_is_published_before_it_signs(directory: Path, clock: FakeClock) -> None:
    seen: list[tuple[str, list[str], float]] = []

    def wait(seconds: float) -> None:
        seen.append((store.signing_key().key_id, [each.key_id for each in store.published()], seconds))

    store = SigningKeyStore(directory, clock=clock, wait=wait)
    first = store.generate()
    clock.advance(10)
    second = store.rotate()
    assert seen == [(first, [first, second], PUBLISH_SECONDS)]
    assert store.signing_key().key_id == second
    assert [(each.key_id, each.replaced_at) for each in store.published()] == [(first, 1_000_010), (second, None)]
    # Of the old one only the public half is left.
    assert first not in (directory / "signing.json").read_text()


def test_two_keys_at_most_and_the_old_one_goes_when_its_tokens_have_ended(
    store: SigningKeyStore, clock: FakeClock
) -> None:
    first = store.generate()
    second = store.rotate()
    clock.advance(LIVES)
    with pytest.raises(ConfigurationError, match=r"until 1970-01-13 13:47 UTC; wait, or .* --compromised"):
        store.rotate()
    assert [each.key_id for each in store.published()] == [first, second]
    clock.advance(1)
    third = store.rotate()
    assert [each.key_id for each in store.published()] == [second, third]


def test_a_compromised_key_is_gone_at_once(store: SigningKeyStore, directory: Path) -> None:
    store.generate()
    store.rotate()
    third = store.rotate(is_compromised=True)
    assert [each.key_id for each in store.published()] == [third]
    # Also where nothing of the old one can be read any more.
    (directory / "signing.json").write_text("{")
    (directory / "keys.json").write_text("{")
    fourth = store.rotate(is_compromised=True)
    assert store.signing_key().key_id == fourth


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_signing_key_that_others_may_read_is_refused(store: SigningKeyStore, directory: Path, mode: int) -> None:
    store.generate()
    (directory / "signing.json").chmod(mode)
    with pytest.raises(ConfigurationError, match="no secret any more"):
        store.signing_key()


def test_a_directory_that_is_open_to_others_is_refused(store: SigningKeyStore, directory: Path) -> None:
    directory.mkdir(parents=True, mode=0o755)
    directory.parent.chmod(0o700)
    directory.chmod(0o755)
    with pytest.raises(ConfigurationError, match="closed to everybody else"):
        store.generate()
    assert list(directory.iterdir()) == []


def test_a_link_in_place_of_the_directory_is_refused(store: SigningKeyStore, directory: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    directory.parent.mkdir(mode=0o700)
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="closed to everybody else"):
        store.generate()


def test_a_damaged_file_is_an_error_without_its_contents(store: SigningKeyStore, directory: Path) -> None:
    store.generate()
    secret = json.loads((directory / "signing.json").read_text())["d"]
    (directory / "signing.json").write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "d": secret, "x": "AA"}))
    with pytest.raises(ConfigurationError, match="damaged") as caught:
        store.signing_key()
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    store.public_file.write_text('{"keys": []}')
    with pytest.raises(ConfigurationError, match="damaged"):
        store.published()
