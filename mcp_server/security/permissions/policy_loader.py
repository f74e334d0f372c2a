"""From the text of a policy file to a `Policy`, or to an error with its line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final, Literal, cast

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.program import Program
from mcp_server.resources.isolation.program_presets import PRESETS, program_of_preset
from mcp_server.resources.isolation.resource_limits import SANDBOX_CEILINGS, ResourceLimits
from mcp_server.resources.isolation.sandbox_config import (
    MAX_COPIED_BYTES,
    MAX_COPIED_FILES,
    MAX_SESSION_SECONDS,
    MAX_WAITING,
    SandboxConfig,
)
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.security.permissions.client_limits import LIMIT_CEILINGS, ClientLimits
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.custom_section import read_matchers
from mcp_server.security.permissions.default_denies import default_denies
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_section import read_grants
from mcp_server.security.permissions.issuer_section import (
    check_key_files,
    check_matches,
    read_issuers,
    read_matches,
    read_message_keys,
    read_programs,
)
from mcp_server.security.permissions.module_section import read_definitions, read_module
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_file_reader import MAX_POLICY_BYTES, PolicyFileReader
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from mcp_server.security.permissions.resource_text import path_parts
from mcp_server.security.permissions.rule_compiler import RuleCompiler
from mcp_server.security.permissions.scope_section import read_scopes
from mcp_server.security.permissions.sudo_section import check_sudo_rules, read_sudo
from mcp_server.security.permissions.toml_line_locator import TomlLineLocator

# The name appears in audit records, in messages and, by `{client}`, in patterns.
_CLIENT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_TABLES: Final = (
    "version",
    "ceiling",
    "client",
    "custom",
    "default_deny",
    "definitions",
    "issuer",
    "module",
    "sandbox",
    "program",
    "scope",
    "sudo",
)
_CLIENT_KEYS: Final = (
    "folders",
    "global_folders",
    "allow",
    "ask",
    "deny",
    "grant",
    "tools",
    "isolation",
    "separate_process",
    "limits",
    "match",
    "message_key",
    "message_key_file",
    "started_by",
)
_SANDBOX_KEYS: Final = (
    "min_tier",
    "accounts",
    "concurrent_runs",
    "warm_workers",
    "session_seconds",
    "staging",
    "copied_files",
    "copied_bytes",
    "limits",
)
# A folder is an open descriptor for each client; and rules times folders are patterns.
MAX_FOLDERS: Final = 64
_MAY_BE_ZERO: Final = ("workspace_bytes", "workspace_files")


class PolicyLoader:
    """Load a policy, strictly: what is not understood is refused, with its line, and nothing of the file is used.

    Args:
        home: The home directory for `~/` and `{home}/`; None asks the operating system.
        reader: Reads the file, once it is sure that nobody else wrote it.
        realpath: Resolves links.
        isdir: Whether a path is a directory.
        broker_problem: Says why files cannot be kept by a process of their own here, None where they can.

    >>> policy = PolicyLoader().parse('''
    ... version = 1
    ... [client.ada]
    ... folders = ["/"]
    ... allow = ["FILE_READ **/*.md"]
    ... ''')
    >>> policy.clients["ada"].rules.allow[0].line
    5
    """

    def __init__(
        self,
        *,
        home: str | None = None,
        reader: PolicyFileReader | None = None,
        realpath: Callable[[str], str] = os.path.realpath,
        isdir: Callable[[str], bool] = os.path.isdir,
        broker_problem: Callable[[], str | None] | None = None,
    ) -> None:
        found = os.path.expanduser("~") if home is None else home
        self._home = realpath(found) if os.path.isabs(found) else None
        self._reader = reader or PolicyFileReader()
        self._realpath = realpath
        self._isdir = isdir
        self._broker_problem = broker_problem if broker_problem is not None else _broker_problem
        self._compiler = RuleCompiler(home=self._home, realpath=realpath)

    def load(self, path: str | os.PathLike[str]) -> Policy:
        """Return the policy of the file `path`; relative folders in it are relative to its directory.

        Raises:
            ConfigurationError: The file is not to be trusted, or not to be understood.
        """
        text = self._reader.read(path)
        return self.parse(text, source=os.fspath(path), base=os.path.dirname(os.path.abspath(path)))

    def parse(self, text: str, *, source: str = "policy", base: str | os.PathLike[str] | None = None) -> Policy:
        """Return the policy that `text` writes.

        Args:
            text: TOML.
            source: Its name in messages.
            base: The directory relative folders are relative to; None refuses them.

        Raises:
            ConfigurationError: It cannot be understood; with source and line.
        """
        document = _document(text, source)
        document.check_keys(_TABLES)
        if "version" not in document:
            hint = "is empty; begin with 'version = 1'" if not text.strip() else "write 'version = 1' at the top"
            raise document.error(hint)
        document.number("version", 1, least=1, most=1)
        matchers = read_matchers(document.sections("custom"))
        self._compiler = RuleCompiler(home=self._home, realpath=self._realpath, matchers=matchers)
        # Each section is read in the order in which the layers are asked.
        extra = self._extra_denials(document.section("default_deny"))
        ceiling = self._ceiling(document.section("ceiling")) if "ceiling" in document else None
        directory = None if base is None else os.fspath(base)
        issuers = read_issuers(document.sections("issuer"), directory)
        clients = {
            name: replace(
                self._client(name, section, directory),
                matches=read_matches(section, issuers),
                message_keys=read_message_keys(section, directory),
                started_by=read_programs(section, "started_by"),
            )
            for name, section in document.sections("client").items()
        }
        folder_of = partial(self._folder, client="", base=None if base is None else os.fspath(base))
        folders = [folder for each in clients.values() for folder in (*each.folders, *each.global_folders)]
        policy = Policy(
            clients,
            definitions=read_definitions(document.section("definitions"), folder_of, folders)
            if "definitions" in document
            else None,
            modules={
                name: read_module(section, folder_of, folders) for name, section in document.sections("module").items()
            },
            ceiling=ceiling,
            default_deny=PolicyLayer(deny=(*default_denies(), *extra)),
            sandbox=replace(
                self._sandbox(document.section("sandbox"), document.sections("program")),
                sudo=read_sudo(document.section("sudo")),
            ),
            issuers=issuers,
            scopes=read_scopes(document.sections("scope")),
            matchers=matchers,
            source=source,
        )
        check_matches(policy, document)
        check_key_files(policy, document, self._realpath)
        check_sudo_rules(policy)
        return policy

    def _sandbox(self, section: PolicySection, programs: Mapping[str, PolicySection]) -> SandboxConfig:
        section.check_keys(_SANDBOX_KEYS)
        # "none" takes a switch of the command line as well: see `SandboxConfig.accepts_none`.
        tiers = [tier.label for tier in IsolationTier]
        limits = section.section("limits")
        limits.check_keys(SANDBOX_CEILINGS)
        values: dict[str, Any] = {}
        for field in fields(ResourceLimits):
            if field.name in limits:
                most = SANDBOX_CEILINGS[field.name]
                values[field.name] = limits.number(field.name, cast("float", field.default), least=1, most=most)
        return SandboxConfig(
            min_tier=IsolationTier.of(section.text("min_tier", IsolationTier.NS.label, choices=tiers)),
            limits=ResourceLimits(**values),
            accounts=section.range("accounts", least=1000, most=2**32 - 3),
            programs={name: self._program(name, each) for name, each in programs.items()},
            staging=section.string("staging") if "staging" in section else None,
            copies=StagingLimits(
                max_files=int(
                    section.number("copied_files", StagingLimits().max_files, least=1, most=MAX_COPIED_FILES)
                ),
                max_bytes=int(
                    section.number("copied_bytes", StagingLimits().max_bytes, least=1, most=MAX_COPIED_BYTES)
                ),
            ),
            concurrent_runs=int(section.number("concurrent_runs", SandboxConfig().concurrent_runs, least=1, most=64)),
            warm_workers=int(section.number("warm_workers", SandboxConfig().warm_workers, least=0, most=MAX_WAITING)),
            session_seconds=section.number(
                "session_seconds", SandboxConfig().session_seconds, least=1, most=MAX_SESSION_SECONDS
            ),
        )

    def _program(self, name: str, section: PolicySection) -> Program:
        section.check_keys(("preset", "path", "arguments", "workspace", "environment"))
        if not _CLIENT_NAME.fullmatch(name):
            raise section.error(f"the program name {name!r} must have 1 to 64 letters, digits, '_', '.' or '-'")
        forms: list[ArgumentForm] = []
        for at, text in enumerate(section.texts("arguments")):
            try:
                forms.append(ArgumentForm(text))
            except ValueError as error:
                raise section.error(str(error), "arguments", at) from error
        default = "read" if "preset" in section else "none"
        workspace = cast(
            Literal["none", "read", "write"], section.text("workspace", default, choices=("none", "read", "write"))
        )
        environment = section.section("environment").strings()
        try:
            if "preset" not in section:
                return Program(name, section.string("path"), tuple(forms), workspace, environment)
            return program_of_preset(
                section.text("preset", "", choices=PRESETS),
                name,
                path=section.string("path") if "path" in section else None,
                forms=forms,
                workspace=workspace,
                environment=environment,
            )
        except ValueError as error:
            raise section.error(str(error)) from error

    def _extra_denials(self, section: PolicySection) -> tuple[PolicyRule, ...]:
        section.check_keys(("extra",))
        return self._rules(section, "extra", Effect.DENY, {}, "default_deny", self._compiler.for_everybody)

    def _ceiling(self, section: PolicySection) -> PolicyLayer:
        section.check_keys(("allow", "deny"))
        if "allow" not in section:
            raise section.error("[ceiling] must say what it allows; 'allow = []' would stop everything")
        seen: dict[Any, str] = {}
        compile_rule = self._compiler.for_everybody
        return PolicyLayer(
            allow=self._rules(section, "allow", Effect.ALLOW, seen, "ceiling", compile_rule),
            deny=self._rules(section, "deny", Effect.DENY, seen, "ceiling", compile_rule),
        )

    def _client(self, name: str, section: PolicySection, base: str | None) -> ClientProfile:
        if not _CLIENT_NAME.fullmatch(name):
            raise section.error(
                f"the client name {name!r} must have 1 to 64 letters, digits, '_', '.' or '-', a sign not first"
            )
        section.check_keys(_CLIENT_KEYS)
        taken: dict[str, str] = {}
        folders = self._folders(section, "folders", name, base, taken)
        global_folders = self._folders(section, "global_folders", name, base, taken)
        seen: dict[Any, str] = {}

        def compile_rule(rule_id: str, effect: Effect, text: str, *, line: int | None) -> PolicyRule:
            return self._compiler.for_client(
                rule_id, effect, text, client=name, folders=folders, global_folders=global_folders, line=line
            )

        rules = PolicyLayer(
            **{str(effect): self._rules(section, str(effect), effect, seen, name, compile_rule) for effect in Effect}
        )
        grants = read_grants(section.tables("grant"), client=name, seen=seen, compile_rule=compile_rule)
        isolation = cast(
            Literal["inline", "process"], section.text("isolation", "inline", choices=("inline", "process"))
        )
        return ClientProfile(
            name,
            folders=folders,
            global_folders=global_folders,
            rules=rules,
            limits=self._limits(section.section("limits")),
            tools=self._tools(section),
            isolation=isolation,
            separate_process=self._separate_process(section),
            grants=grants,
        )

    def _separate_process(self, section: PolicySection) -> bool:
        is_wanted = section.flag("separate_process", default=False)
        if is_wanted and (problem := self._broker_problem()) is not None:
            # Files that are kept in the server's own process after all would be what the operator did not want.
            raise section.error(
                f"'separate_process' in {section.name}: {problem}; leave it out to keep the files in the server's own "
                "process",
                "separate_process",
            )
        return is_wanted

    def _folders(
        self, section: PolicySection, key: str, client: str, base: str | None, taken: dict[str, str]
    ) -> tuple[str, ...]:
        found: list[str] = []
        written = section.texts(key)
        if len(written) > MAX_FOLDERS:
            raise section.error(f"{key!r} in {section.name} names more than {MAX_FOLDERS} folders", key)
        for at, text in enumerate(written):
            try:
                folder = self._folder(text, client, base)
                path_parts(folder)
            except ConfigurationError as error:
                raise section.error(error.message, key, at) from error
            except ValueError as error:
                raise section.error(f"the path of the folder {text!r} {error}", key, at) from error
            if not self._isdir(folder):
                raise section.error(f"the folder {text!r} does not exist or is no directory; make it first", key, at)
            if folder in taken:
                raise section.error(f"the folder {text!r} is named twice, first as {taken[folder]!r}", key, at)
            taken[folder] = text
            found.append(folder)
        return tuple(found)

    def _folder(self, text: str, client: str, base: str | None) -> str:
        expanded = text.replace("{client}", client)
        for prefix in ("~/", "{home}/"):
            if f"{expanded}/".startswith(prefix):
                if self._home is None:
                    raise ConfigurationError(f"the folder {text!r}: there is no home directory; write it out")
                expanded = self._home + "/" + f"{expanded}/"[len(prefix) :]
                break
        if not text or expanded.startswith("~"):
            raise ConfigurationError(f"the folder {text!r} cannot be found; write an absolute path, or '~/' and a name")
        if not os.path.isabs(expanded):
            if base is None:
                raise ConfigurationError(
                    f"the folder {text!r} is relative, and there is no file it could be relative to"
                )
            expanded = os.path.join(base, expanded)
        return self._realpath(expanded)

    def _rules(
        self,
        section: PolicySection,
        key: str,
        effect: Effect,
        seen: dict[Any, str],
        owner: str,
        compile_rule: Callable[..., PolicyRule],
    ) -> tuple[PolicyRule, ...]:
        found: list[PolicyRule] = []
        for at, text in enumerate(section.texts(key)):
            rule_id = f"{owner}.{key}[{at}]"
            try:
                rule = compile_rule(rule_id, effect, text, line=section.line_of(key, at))
            except ConfigurationError as error:
                raise section.error(error.message, key, at) from error
            identity = (rule.types, tuple(pattern.canonical for pattern in rule.patterns))
            if identity in seen:
                raise section.error(f"{text!r} is written twice, first as {seen[identity]}", key, at)
            seen[identity] = rule_id
            found.append(rule)
        return tuple(found)

    def _tools(self, section: PolicySection) -> tuple[ResourcePattern, ...]:
        if "tools" not in section:
            return (ResourcePattern.compile("*"),)
        found: list[ResourcePattern] = []
        for at, text in enumerate(section.texts("tools")):
            try:
                found.append(ResourcePattern.compile(text))
            except ConfigurationError as error:
                raise section.error(error.message, "tools", at) from error
        return tuple(found)

    def _limits(self, section: PolicySection) -> ClientLimits:
        section.check_keys(LIMIT_CEILINGS)
        values: dict[str, Any] = {}
        for field in fields(ClientLimits):
            if field.name not in section:
                continue
            least = 0 if field.name in _MAY_BE_ZERO else 1
            # A limit that is none by default is a whole number when there is one.
            default = 0 if field.default is None else cast("float", field.default)
            values[field.name] = section.number(field.name, default, least=least, most=LIMIT_CEILINGS[field.name])
        return ClientLimits(**values)


def _broker_problem() -> str | None:
    # On first use: few policies ask for it.
    from mcp_server.resources.broker.broker_factory import BrokerFactory

    return BrokerFactory.problem()


def _document(text: str, source: str) -> PolicySection:
    import tomllib

    if len(text) > MAX_POLICY_BYTES:
        raise ConfigurationError(f"is larger than {MAX_POLICY_BYTES} bytes", source=source)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        if place is None:
            raise ConfigurationError(f"is no TOML: {error}", source=source) from error
        line = int(place[1]) if place[1] else text.count("\n") + 1
        raise ConfigurationError(f"is no TOML: {str(error)[: place.start()]}", source=source, line=line) from error
    except (RecursionError, ValueError, OverflowError) as error:
        # Nested without end, a number without end, a date that is none: whatever the parser does not foresee.
        raise ConfigurationError("is no TOML that a policy could be", source=source) from error
    return PolicySection(table, path=(), source=source, locator=TomlLineLocator(text))
