from __future__ import annotations

import base64
import json

import pytest

from mcp_server.security.consent import state_sealer
from mcp_server.security.consent.state_sealer import MAX_STATE_CHARACTERS, TTL_SECONDS, StateSealer

STATE = {"asked": {"q0": "ab"}, "answers": {}}
BINDING = b"claude tools/call"


class Desk:
    """A sealer whose clock and random bytes a test knows."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._count = 0
        self.sealer = StateSealer(key=bytes(range(32)), clock=lambda: self.now, random=self._random)

    def _random(self, size: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(size, "big")


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_what_was_sealed_is_opened_once() -> None:
    desk = Desk()
    sealed = desk.sealer.seal(STATE, BINDING)
    assert desk.sealer.open(sealed, BINDING) == STATE
    with pytest.raises(ValueError, match="not valid any more"):
        desk.sealer.open(sealed, BINDING)


def test_it_cannot_be_read_from_outside() -> None:
    sealed = Desk().sealer.seal({"secret": "swordfish"}, BINDING)
    assert b"swordfish" not in raw(sealed)


def test_a_flipped_bit_in_any_byte_is_refused() -> None:
    desk = Desk()
    sealed = raw(desk.sealer.seal(STATE, BINDING))
    for place in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[place] ^= 1 << bit
            with pytest.raises(ValueError, match="not valid"):
                desk.sealer.open(text(bytes(altered)), BINDING)
    # The control: it is the flips that were refused.
    assert desk.sealer.open(text(sealed), BINDING) == STATE


@pytest.mark.parametrize("length", [0, 1, 2])
def test_any_other_character_in_any_place_is_refused(length: int) -> None:
    # Base64 has spare bits at its end; states of three lengths have each number of them.
    desk = Desk()
    state = {"pad": "x" * length}
    sealed = desk.sealer.seal(state, BINDING)
    for place in range(len(sealed)):
        for other in "AZaz09-_+/=. \n":
            altered = sealed[:place] + other + sealed[place + 1 :]
            if altered != sealed:
                with pytest.raises(ValueError, match="not valid"):
                    desk.sealer.open(altered, BINDING)
    for altered in (sealed + "=", sealed + "==", sealed + "A", "=" + sealed, sealed + " ", sealed[:-1], sealed * 2):
        with pytest.raises(ValueError, match="not valid"):
            desk.sealer.open(altered, BINDING)
    assert desk.sealer.open(sealed, BINDING) == state


@pytest.mark.parametrize("binding", [b"", b"other tools/call", b"claude tools/calL", BINDING + b"x"])
def test_it_belongs_to_what_it_was_sealed_for(binding: bytes) -> None:
    desk = Desk()
    sealed = desk.sealer.seal(STATE, BINDING)
    with pytest.raises(ValueError, match="not valid"):
        desk.sealer.open(sealed, binding)
    # A try with the wrong binding does not use it up.
    assert desk.sealer.open(sealed, BINDING) == STATE


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(0, True), (TTL_SECONDS - 1, True), (TTL_SECONDS, False), (1e6, False)]
)
def test_it_is_good_for_a_time(seconds: float, is_good: bool) -> None:
    desk = Desk()
    sealed = desk.sealer.seal(STATE, BINDING)
    desk.now += seconds
    if is_good:
        assert desk.sealer.open(sealed, BINDING) == STATE
    else:
        with pytest.raises(ValueError, match="not valid any more"):
            desk.sealer.open(sealed, BINDING)


def test_another_key_opens_nothing() -> None:
    sealed = Desk().sealer.seal(STATE, BINDING)
    with pytest.raises(ValueError, match="not valid"):
        StateSealer(key=bytes(32)).open(sealed, BINDING)


@pytest.mark.parametrize("given", [None, 1, b"", [], {}, "", "A", "é" * 40, "A" * (MAX_STATE_CHARACTERS + 1)])
def test_what_is_no_sealed_text_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="not valid"):
        Desk().sealer.open(given, BINDING)


def test_a_body_sealed_by_someone_with_the_key_but_in_another_form_is_refused() -> None:
    desk = Desk()
    nonce = bytes(12)
    sealed = nonce + desk.sealer._aead().encrypt(nonce, json.dumps([1]).encode(), BINDING)
    with pytest.raises((ValueError, TypeError)):
        desk.sealer.open(text(sealed), BINDING)


def test_used_states_are_remembered_until_they_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_sealer, "MAX_USED", 3)
    desk = Desk()
    used = [desk.sealer.seal(STATE, BINDING) for _ in range(3)]
    for each in used:
        desk.sealer.open(each, BINDING)
    fresh = desk.sealer.seal(STATE, BINDING)
    with pytest.raises(ValueError, match="too many"):
        desk.sealer.open(fresh, BINDING)
    desk.now += TTL_SECONDS
    later = desk.sealer.seal(STATE, BINDING)
    assert desk.sealer.open(later, BINDING) == STATE
    assert len(desk.sealer._used) == 1


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        StateSealer(key=bytes(size))
