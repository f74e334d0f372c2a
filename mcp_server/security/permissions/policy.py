"""Everything the operator said, compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from os import PathLike, fspath
from os.path import isdir, realpath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.default_denies import default_denies
from mcp_server.security.permissions.definition_rules import DefinitionRules
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.module_policy import ModulePolicy
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.rule_compiler import RuleCompiler

if TYPE_CHECKING:
    from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig

_NOTHING_SAID: Final = ModulePolicy()
_FOLDER_GRANTS: Final = ("FILE_READ **", "DIRECTORY_LIST **", "FILE_WRITE **")


@dataclass(frozen=True, slots=True)
class Policy:
    """The clients, what each may do, and what nobody may.

    A value: it decides nothing (`PolicyEvaluator` does) and never changes; a reload makes another.

    Args:
        clients: The profiles by the clients' names.
        ceiling: What nobody gets more than, None for no ceiling.
        default_deny: The shipped denials and those the policy adds.
        modules: What is said of single modules, by their names.
        definitions: What becomes of tools that have changed, None where nobody looks.
        issuers: Whose tokens are accepted, by the names that the policy gives them.
        scopes: The rules that a token may name by a scope, as they were written, by the scope's name.
        matchers: The languages of patterns of the kinds of right that modules brought, where they are not texts.
        sandbox: What contains code and programs, and how much of the machine they may use; read at the start.
        source: Where it was read, for people.

    >>> policy = Policy.for_folders(["/"])
    >>> [rule.text for rule in policy.clients["local"].rules.allow]
    ['FILE_READ **', 'DIRECTORY_LIST **', 'FILE_WRITE **']
    """

    clients: Mapping[str, ClientProfile] = field(default_factory=dict)
    ceiling: PolicyLayer | None = None
    default_deny: PolicyLayer = field(default_factory=lambda: PolicyLayer(deny=default_denies()))
    modules: Mapping[str, ModulePolicy] = field(default_factory=dict)
    definitions: DefinitionRules | None = None
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    matchers: Mapping[PermissionType, str] = field(default_factory=dict)
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
    issuers: Mapping[str, IssuerConfig] = field(default_factory=dict)
    source: str = field(default="", compare=False)
    digest: str = field(init=False, compare=False)
    isolates: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clients", MappingProxyType(dict(self.clients)))
        object.__setattr__(self, "modules", MappingProxyType(dict(self.modules)))
        object.__setattr__(self, "issuers", MappingProxyType(dict(self.issuers)))
        object.__setattr__(self, "scopes", MappingProxyType(dict(self.scopes)))
        object.__setattr__(self, "matchers", MappingProxyType(dict(self.matchers)))
        object.__setattr__(self, "digest", _digest(self))
        said = [each.isolation for each in self.clients.values()] + [each.isolation for each in self.modules.values()]
        # Whether any handler runs apart because of it: most policies are silent about that, and calls are many.
        object.__setattr__(self, "isolates", "process" in said)

    @classmethod
    def for_folders(cls, folders: Sequence[str | PathLike[str]], client: str = "local") -> Self:
        """Return the policy of a server that was started with folders and without a policy file.

        Reading, listing and writing inside the folders for one client, and nothing else; the shipped denials hold.

        Args:
            folders: The folders; relative ones are relative to the working directory.
            client: The client's name.

        Raises:
            ConfigurationError: A folder is missing or no directory.
        """
        canonical: list[str] = []
        for folder in folders:
            real = realpath(fspath(folder))
            if not isdir(real):
                raise ConfigurationError(f"the folder {fspath(folder)!r} does not exist or is no directory")
            if real not in canonical:
                canonical.append(real)
        compiler = RuleCompiler()
        try:
            rules = tuple(
                compiler.for_client(
                    f"{client}.allow[{at}]", Effect.ALLOW, text, client=client, folders=canonical, global_folders=()
                )
                for at, text in enumerate(_FOLDER_GRANTS if canonical else ())
            )
            profile = ClientProfile(client, folders=tuple(canonical), rules=PolicyLayer(allow=rules))
        except ValueError as error:
            raise ConfigurationError(f"the path of a folder {error}; choose another folder") from error
        return cls({client: profile})

    def module(self, client: str, module: str) -> ModulePolicy:
        """Return what is said of a module when that client calls it.

        A client that is to have processes of its own has them whatever is said of the module.

        >>> Policy.for_folders(["/"]).module("local", "notes").isolation is None
        True
        """
        found = self.modules.get(module, _NOTHING_SAID)
        profile = self.clients.get(client)
        if profile is not None and profile.isolation == "process":
            return replace(found, isolation="process")
        return found

    @property
    def edges(self) -> tuple[float, ...]:
        """The times at which any grant begins or ceases to hold, the earliest first."""
        found = {
            edge
            for profile in self.clients.values()
            for rule in profile.grants
            if rule.limits is not None
            for edge in rule.limits.edges
        }
        return tuple(sorted(found))

    def grants(self, permission_type: PermissionType) -> bool:
        """Whether any client has a rule that allows this kind of right, or asks for it, on anything.

        >>> Policy.for_folders(["/"]).grants(PermissionType.FILE_READ)
        True
        """
        return any(permission_type in rule.types for profile in self.clients.values() for rule in profile.granting)


def _digest(policy: Policy) -> str:
    import json
    from hashlib import sha256

    form: dict[str, Any] = {
        "version": 1,
        "default_deny": _layer_form(policy.default_deny),
        "ceiling": None if policy.ceiling is None else _layer_form(policy.ceiling),
        "clients": {name: _profile_form(profile) for name, profile in policy.clients.items()},
        "definitions": None if policy.definitions is None else asdict(policy.definitions),
        "modules": {name: asdict(module) for name, module in policy.modules.items()},
        "sandbox": policy.sandbox.to_json(),
    }
    if policy.issuers:
        form["issuers"] = {name: config.to_json() for name, config in policy.issuers.items()}
    if policy.scopes:
        # Named only where there are any, so that a policy without keeps its digest.
        form["scopes"] = dict(policy.scopes)
    if policy.matchers:
        form["matchers"] = dict(policy.matchers)
    canonical = json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return sha256(canonical.encode("ascii")).hexdigest()


def _profile_form(profile: ClientProfile) -> dict[str, Any]:
    recognised: dict[str, Any] = {}
    if profile.matches:
        recognised["matches"] = [match.to_json() for match in profile.matches]
    if profile.message_keys is not None:
        recognised["message_keys"] = profile.message_keys.to_json()
    if profile.started_by:
        recognised["started_by"] = list(profile.started_by)
    grants = [
        [rule.id, rule.effect, *_rules_form((rule,)), asdict(rule.limits)] for rule in profile.grants if rule.limits
    ]
    # Named only where there are any, so that a policy without keeps its digest.
    limited = {"grants": grants} if grants else {}
    return {
        **recognised,
        **limited,
        "folders": profile.folders,
        "global_folders": profile.global_folders,
        "rules": _layer_form(profile.rules),
        "limits": asdict(profile.limits),
        "tools": [pattern.canonical for pattern in profile.tools],
        "isolation": profile.isolation,
        "separate_process": profile.separate_process,
    }


def _layer_form(layer: PolicyLayer) -> dict[str, Any]:
    return {str(effect): _rules_form(layer.rules(effect)) for effect in Effect}


def _rules_form(rules: Iterable[PolicyRule]) -> list[Any]:
    return [[rule.id, rule.types, rule.text, [pattern.canonical for pattern in rule.patterns]] for rule in rules]
