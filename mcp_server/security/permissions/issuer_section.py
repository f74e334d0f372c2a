"""What a policy file says about issuers of tokens, and about how clients are recognised."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp_server.security.authentication.clients.client_match import ClientMatch
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.jose.jwk_reader import KEY_ID
from mcp_server.security.authentication.messages.message_key_config import MessageKeyConfig
from mcp_server.security.authentication.messages.message_key_ring import MAX_KEYS_EACH
from mcp_server.security.authentication.tokens.claims_reader import read_name
from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig
from mcp_server.security.authentication.tokens.issuer_rules import (
    DEFAULT_LIFETIME_SECONDS,
    MOST_LEEWAY_SECONDS,
    MOST_LIFETIME_SECONDS,
    IssuerRules,
)
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.resource_text import path_parts

if TYPE_CHECKING:
    from mcp_server.security.authentication.key_sets.key_address import KeyAddress
    from mcp_server.security.authentication.key_sets.key_set import KeySet
    from mcp_server.security.permissions.client_profile import ClientProfile

MAX_MATCHES: Final = 64
"""Ways in which one client is recognised; a certificate and a token or two is what there is."""

_ISSUER_KEYS: Final = (
    "issuer",
    "audience",
    "key_file",
    "secret_keys",
    "key",
    "local_keys",
    "key_url",
    "metadata_url",
    "key_networks",
    "max_lifetime_seconds",
    "leeway_seconds",
    "accept_untyped_tokens",
    "accept_other_audiences",
)
_KEY_PLACES: Final = ("key_file", "key", "local_keys", "key_url", "metadata_url")
_JWT_KEYS: Final = ("issuer", "subject", "client_id", "scopes")
_CERTIFICATE_KEYS: Final = ("san_uri", "san_dns", "spki_sha256")
_ISSUER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SCOPE_WORD: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+", re.ASCII)
_MOST_USER_ID: Final = 2**32 - 2


def read_issuers(sections: Mapping[str, PolicySection], base: str | None) -> dict[str, IssuerConfig]:
    """Return what the tables `[issuer.NAME]` say.

    Args:
        sections: The tables by name.
        base: The directory that relative files are relative to; None refuses them.

    Raises:
        ConfigurationError: Something of it is not understood.
    """
    found: dict[str, IssuerConfig] = {}
    names: dict[str, str] = {}
    for name, section in sections.items():
        config = _issuer(name, section, base)
        other = names.setdefault(config.rules.issuer, name)
        if other != name:
            raise section.error(f"the issuer is that of [issuer.{other}] already; write one table for each", "issuer")
        found[name] = config
    return found


def read_matches(section: PolicySection, issuers: Mapping[str, IssuerConfig]) -> tuple[ClientMatch, ...]:
    """Return what the tables `[[client.NAME.match]]` of a client say.

    Raises:
        ConfigurationError: Something of it is not understood.
    """
    tables = section.tables("match")
    if len(tables) > MAX_MATCHES:
        raise section.error(f"{section.name} has more than {MAX_MATCHES} tables 'match'", "match")
    found: list[ClientMatch] = []
    for table in tables:
        match = _match(table, issuers)
        if match in found:
            raise table.error(f"{table.name} is written twice")
        found.append(match)
    return tuple(found)


def read_message_keys(section: PolicySection, base: str | None) -> MessageKeyConfig | None:
    """Return where the keys come from with which a client signs messages, None when it signs none.

    Raises:
        ConfigurationError: Something of it is not understood.
    """
    places = [each for each in ("message_key", "message_key_file") if each in section]
    if len(places) > 1:
        raise section.error(f"{section.name} must say in one way which keys sign: {' or '.join(places)}", places[1])
    if not places:
        return None
    if places[0] == "message_key_file":
        return MessageKeyConfig(file=_file(section, "message_key_file", base))
    keys: KeySet = _inline_keys(section, "message_key")
    if len(keys.keys) > MAX_KEYS_EACH:
        raise section.error(f"{section.name} has more than {MAX_KEYS_EACH} keys; drop the oldest", "message_key")
    return MessageKeyConfig(inline=keys)


def read_programs(section: PolicySection, key: str) -> tuple[str, ...]:
    """Return the executables under `key`, none when it is not there.

    Raises:
        ConfigurationError: One is no absolute path, or the list is there and empty, which would let nobody in.
    """
    if key not in section:
        return ()
    found = tuple(_program(text, section, key, at) for at, text in enumerate(section.texts(key)))
    if not found or len(found) > MAX_MATCHES:
        raise section.error(f"{key!r} in {section.name} must name 1 to {MAX_MATCHES} programs, or be left out", key)
    return found


def check_matches(policy: Policy, document: PolicySection) -> None:
    """Refuse a policy in which one way leads to two clients, or to none because its key is another's.

    Raises:
        ConfigurationError: It does; with the line.
    """
    for name, profile in policy.clients.items():
        for at, match in enumerate(profile.matches):
            _check_key(profile, match, document, ("client", name, "match", at))
    owners: dict[tuple[Any, ...], str] = {}
    for name, profile in policy.clients.items():
        for at, match in enumerate(profile.matches):
            way = tuple(sorted((kind, tuple(sorted(facts))) for kind, facts in match.demands.items()))
            owner = owners.setdefault(way, name)
            if owner != name:
                raise document.error(
                    f"this leads to client {owner!r} already, and must lead to one only", "client", name, "match", at
                )


def _check_key(
    profile: ClientProfile, match: ClientMatch, document: PolicySection, where: tuple[str | int, ...]
) -> None:
    keys = profile.message_keys
    for name, value in match.demands.get(EvidenceKind.KEY, ()):
        # What stands in a file may be there tomorrow.
        is_known = keys is not None and (keys.inline is None or value in keys.inline.keys)
        if name == "id" and not is_known:
            raise document.error(
                f"client {profile.name!r} has no key {value!r}; write it under [[client.{profile.name}.message_key]]",
                *where,
            )


def check_key_files(policy: Policy, document: PolicySection, realpath: Callable[[str], str]) -> None:
    """Refuse a policy in which a tool could reach the keys of an issuer: who writes them signs for everybody.

    Raises:
        ConfigurationError: A key file lies in a folder of a client; with the line.
    """
    folders = [(each, name) for name, profile in policy.clients.items()
               for each in (*profile.folders, *profile.global_folders)]  # fmt: skip
    files: list[tuple[str, tuple[str, str, str]]] = [
        (config.file, ("issuer", name, "key_file")) for name, config in policy.issuers.items() if config.file
    ]
    files += [
        (profile.message_keys.file, ("client", name, "message_key_file"))
        for name, profile in policy.clients.items()
        if profile.message_keys is not None and profile.message_keys.file
    ]
    for file, where in files:
        parts = path_parts(realpath(file))[1]
        for folder, client in folders:
            inside = path_parts(folder)[1]
            if parts[: len(inside)] == inside:
                raise document.error(
                    f"the key file lies in the folder {folder!r} of client {client!r}, whose tools could reach it; "
                    "keep it elsewhere",
                    *where,
                )


def _issuer(name: str, section: PolicySection, base: str | None) -> IssuerConfig:
    section.check_keys(_ISSUER_KEYS)
    if not _ISSUER_NAME.fullmatch(name):
        raise section.error(
            f"the issuer name {name!r} must have 1 to 64 letters, digits, '_', '.' or '-', a sign not first"
        )
    for key in ("issuer", "audience"):
        try:
            read_name({key: section.string(key)}, key)
        except ValueError as error:
            raise section.error(f"{error} in {section.name}", key) from error
    rules = IssuerRules(
        name,
        issuer=section.string("issuer"),
        audience=section.string("audience"),
        max_lifetime_seconds=int(
            section.number("max_lifetime_seconds", DEFAULT_LIFETIME_SECONDS, least=1, most=MOST_LIFETIME_SECONDS)
        ),
        leeway_seconds=int(section.number("leeway_seconds", MOST_LEEWAY_SECONDS, least=0, most=MOST_LEEWAY_SECONDS)),
        allows_untyped=section.flag("accept_untyped_tokens", default=False),
        allows_other_audiences=section.flag("accept_other_audiences", default=False),
    )
    places = [each for each in _KEY_PLACES if each in section]
    if len(places) != 1:
        raise section.error(f"{section.name} must say in one way where its keys come from: {', '.join(_KEY_PLACES)}")
    holds_secrets = section.flag("secret_keys", default=False)
    if holds_secrets and "key_file" not in section:
        raise section.error("secret keys stand in a file of their own, never in the policy: key_file", "secret_keys")
    url = next((each for each in ("key_url", "metadata_url") if each in section), None)
    if "key_networks" in section and url is None:
        raise section.error("networks go with keys that are fetched: key_url or metadata_url", "key_networks")
    if url is not None:
        return IssuerConfig(rules, remote=_remote(section, url))
    if "local_keys" in section:
        if not section.flag("local_keys", default=False):
            raise section.error("'local_keys' is true, or is left out", "local_keys")
        return IssuerConfig(rules, is_local=True)
    if "key" in section:
        return IssuerConfig(rules, inline=_inline_keys(section, "key"))
    return IssuerConfig(rules, file=_file(section, "key_file", base), holds_secrets=holds_secrets)


def _inline_keys(section: PolicySection, key: str) -> KeySet:
    from mcp_server.security.authentication.key_sets.key_set import KeySet

    try:
        return KeySet.of([table.plain() for table in section.tables(key)])
    except ValueError as error:
        raise section.error(f"{error}; write public keys only", key) from error


def _remote(section: PolicySection, key: str) -> KeyAddress:
    from mcp_server.security.authentication.key_sets.key_address import KeyAddress

    networks = tuple(section.texts("key_networks"))
    try:
        return KeyAddress(section.string(key), is_metadata=key == "metadata_url", networks=networks)
    except ValueError as error:
        raise section.error(f"{key!r} in {section.name}: {error}", key) from error


def _file(section: PolicySection, key: str, base: str | None) -> str:
    path = section.string(key)
    if not os.path.isabs(path):
        if base is None or not path or path.startswith("~"):
            raise section.error(f"the key file {path!r} cannot be found; write an absolute path", key)
        path = os.path.join(base, path)
    return path


def _match(table: PolicySection, issuers: Mapping[str, IssuerConfig]) -> ClientMatch:
    table.check_keys([kind.value for kind in EvidenceKind])
    demands: dict[EvidenceKind, frozenset[tuple[str, str]]] = {}
    if EvidenceKind.JWT in table:
        demands[EvidenceKind.JWT] = _token_facts(table.section(EvidenceKind.JWT), issuers)
    if EvidenceKind.MTLS in table:
        demands[EvidenceKind.MTLS] = _certificate_facts(table.section(EvidenceKind.MTLS))
    if EvidenceKind.KEY in table:
        signing = table.section(EvidenceKind.KEY)
        signing.check_keys(("id",))
        if not KEY_ID.fullmatch(signing.string("id")):
            raise signing.error(f"'id' in {signing.name} is no key id", "id")
        demands[EvidenceKind.KEY] = frozenset({("id", signing.string("id"))})
    if EvidenceKind.PEER in table:
        peer = table.section(EvidenceKind.PEER)
        peer.check_keys(("uid", "program"))
        if "uid" not in peer:
            raise peer.error(f"{peer.name} must name a user: uid")
        facts = {("uid", str(int(peer.number("uid", 0, least=0, most=_MOST_USER_ID))))}
        if "program" in peer:
            facts.add(("program", _program(peer.string("program"), peer, "program")))
        demands[EvidenceKind.PEER] = frozenset(facts)
    match = ClientMatch(demands)
    try:
        assert match.handle
    except ValueError as error:
        raise table.error(f"{table.name}: {error}") from error
    return match


def _program(text: str, section: PolicySection, *where: str | int) -> str:
    if not os.path.isabs(text) or os.path.normpath(text) != text or not text.isprintable():
        raise section.error(f"{text!r} is no absolute path of a program, written plainly", *where)
    return text


def _token_facts(section: PolicySection, issuers: Mapping[str, IssuerConfig]) -> frozenset[tuple[str, str]]:
    section.check_keys(_JWT_KEYS)
    name = section.text("issuer", "", choices=issuers) if issuers else None
    if name is None:
        raise section.error(f"{section.name} needs an issuer, and the policy has none; write a table [issuer.NAME]")
    facts = {("issuer", issuers[name].rules.issuer)}
    named = [key for key in ("subject", "client_id") if key in section]
    if not named:
        raise section.error(f"{section.name} must name a subject or a client_id; an issuer speaks for many")
    for key in named:
        try:
            # What tokens say in `sub` is compared with it, so it must be something that they can say.
            facts.add((key, read_name({key: section.string(key)}, key)))
        except ValueError as error:
            raise section.error(f"{error} in {section.name}", key) from error
    for at, word in enumerate(section.texts("scopes")):
        if not _SCOPE_WORD.fullmatch(word):
            raise section.error(f"{word!r} is no scope", "scopes", at)
        facts.add(("scope", word))
    return frozenset(facts)


def _certificate_facts(section: PolicySection) -> frozenset[tuple[str, str]]:
    section.check_keys(_CERTIFICATE_KEYS)
    named = [key for key in _CERTIFICATE_KEYS if key in section]
    if len(named) != 1:
        raise section.error(f"{section.name} must name one of {', '.join(_CERTIFICATE_KEYS)}")
    key = named[0]
    value = section.string(key)
    if key == "san_dns":
        value = value.lower()
    if not value or len(value) > 2048 or not value.isascii() or not value.isprintable() or " " in value:
        raise section.error(f"{key!r} in {section.name} is no name that a certificate holds", key)
    if key == "spki_sha256" and not _DIGEST.fullmatch(value):
        raise section.error(f"{key!r} in {section.name} must be 64 lower-case hexadecimal digits", key)
    if "*" in value:
        raise section.error(f"{key!r} in {section.name} is compared exactly; there are no wildcards", key)
    return frozenset({(key, value)})
