from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.rule_compiler import RuleCompiler, check_rule

LINKS = {"/home/ada/Notes/link": "/home/ada/Notes/target", "/home/ada/Notes/out": "/etc"}


def resolve(path: str) -> str:
    for link, target in LINKS.items():
        if path == link or path.startswith(f"{link}/"):
            return target + path[len(link) :]
    return path


COMPILER = RuleCompiler(home="/home/ada", realpath=resolve)


def client_rule(text: str, effect: Effect = Effect.ALLOW, **places: list[str]) -> PolicyRule:
    folders = places.get("folders", ["/home/ada/Notes"])
    return COMPILER.for_client(
        "r", effect, text, client="ada", folders=folders, global_folders=places.get("global_folders", [])
    )


def speaks(rule: PolicyRule, path: str) -> bool:
    return rule.matches(PolicySubject.read(rule.types[0], path))


def test_a_relative_rule_is_about_each_own_folder() -> None:
    rule = client_rule("FILE_READ *.md", folders=["/a", "/b"], global_folders=["/c"])
    assert [speaks(rule, f"{folder}/x.md") for folder in ("/a", "/b", "/c")] == [True, True, False]


def test_a_type_alone_is_everything_in_the_folders_and_nothing_else() -> None:
    rule = client_rule("DIRECTORY_LIST")
    paths = ("/home/ada/Notes", "/home/ada/Notes/a/b", "/home/ada")
    assert [speaks(rule, path) for path in paths] == [True, True, False]


def test_a_type_alone_is_every_resource_for_the_rest() -> None:
    assert client_rule("NETWORK_CONNECT").matches(PolicySubject.read(PermissionType.NETWORK_CONNECT, "a:1"))


def test_writing_in_global_folders_is_a_right_of_its_own() -> None:
    rule = client_rule("FILE_WRITE_GLOBAL *.md", global_folders=["/c"])
    assert speaks(rule, "/c/a.md")
    assert not speaks(rule, "/home/ada/Notes/a.md")


def test_a_pattern_may_hold_blanks() -> None:
    assert speaks(client_rule("FILE_READ my notes/*.md"), "/home/ada/Notes/my notes/a.md")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("* **", "must name a type"),
        ("FILE_REED **", "did you mean 'FILE_READ'"),
        ("file_read **", "did you mean 'FILE_READ'"),
        ("PRINT x", "unknown permission type"),
        ("", "unknown permission type"),
        ("FILE_READ  **", "blanks"),
        (" FILE_READ **", "blanks"),
        ("FILE_READ ** ", "blanks"),
        ("FILE_READ [a]", "classes"),
        ("FILE_READ /etc/**", "outside the folders"),
        ("FILE_READ /home/ada/Notes2/**", "outside the folders"),
        ("FILE_READ /home/ada/Notes/out/**", "outside the folders"),
        ("FILE_WRITE_GLOBAL **", "has no global_folders"),
        ("FILE_READ ../x", "'..'"),
        ("CODE_EXECUTION a\tb", "U+0009"),
    ],
)
def test_rules_that_say_nothing_sensible_are_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_rule(text)
    assert says in str(caught.value)


def test_writing_outside_the_own_folders_names_the_right_that_is_meant() -> None:
    with pytest.raises(ConfigurationError, match="FILE_WRITE_GLOBAL"):
        client_rule("FILE_WRITE /c/**", global_folders=["/c"])
    assert speaks(client_rule("FILE_READ /c/**", global_folders=["/c"]), "/c/a")


def test_a_relative_rule_without_folders_can_never_match() -> None:
    with pytest.raises(ConfigurationError, match="has no folders"):
        client_rule("FILE_READ **", folders=[])


def test_a_grant_follows_a_link_once_and_a_denial_keeps_both_names() -> None:
    grant = client_rule("FILE_READ /home/ada/Notes/link/**")
    assert not speaks(grant, "/home/ada/Notes/link/a")
    assert speaks(grant, "/home/ada/Notes/target/a")
    denial = client_rule("FILE_READ /home/ada/Notes/link/**", Effect.DENY)
    assert speaks(denial, "/home/ada/Notes/link/a")
    assert speaks(denial, "/home/ada/Notes/target/a")


def test_home_and_client_are_fixed() -> None:
    assert speaks(client_rule("FILE_READ ~/Notes/{client}/*"), "/home/ada/Notes/ada/x")
    assert speaks(client_rule("FILE_READ {home}/Notes/*"), "/home/ada/Notes/x")
    with pytest.raises(ConfigurationError, match="'~'"):
        RuleCompiler().for_everybody("r", Effect.DENY, "FILE_READ ~/x")


def test_rules_for_everybody_begin_at_the_root_or_anywhere() -> None:
    anywhere = COMPILER.for_everybody("r", Effect.DENY, "FILE_READ **/*.kdbx")
    assert speaks(anywhere, "/a/b.kdbx")
    assert speaks(COMPILER.for_everybody("r", Effect.ALLOW, "FILE_READ"), "/")
    assert speaks(COMPILER.for_everybody("r", Effect.ALLOW, "FILE_READ /home/**"), "/home/x")
    with pytest.raises(ConfigurationError, match="relative"):
        COMPILER.for_everybody("r", Effect.DENY, "FILE_READ private/**")
    assert COMPILER.for_everybody("r", Effect.ALLOW, "CODE_EXECUTION unrestricted").patterns[0].canonical


def test_a_place_that_cannot_be_resolved_is_refused() -> None:
    compiler = RuleCompiler(realpath=lambda path: path + "\n")
    with pytest.raises(ConfigurationError, match=r"U\+000A"):
        compiler.for_everybody("r", Effect.DENY, "FILE_READ /a/**")


def test_a_rule_can_be_looked_at_before_anybody_has_it() -> None:
    for good in ("FILE_READ", "FILE_READ notes/{client}/**", "CUSTOM_X a*", "NETWORK_CONNECT 10.0.0.0/8:443"):
        check_rule(good)
    for bad in ("FILE_REED", "FILE_READ a//b", "NETWORK_CONNECT a", "FILE_READ  a", "* a"):
        with pytest.raises(ConfigurationError):
            check_rule(bad)
