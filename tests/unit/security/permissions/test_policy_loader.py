from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.client_limits import ClientLimits
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader

FULL = """version = 1
[ceiling]
allow = ["FILE_READ {home}/**", "DIRECTORY_LIST", "FILE_WRITE ~/Notes/**"]
deny = []
[client.claude]
folders = ["~/Notes"]
global_folders = ["Shared"]
allow = ["FILE_READ **/*.md", "DIRECTORY_LIST **"]
ask = ["FILE_WRITE resumes/*.md"]
deny = ["FILE_READ private/**"]
tools = ["read_*", "list_directory"]
isolation = "inline"
separate_process = true
limits = { calls_per_minute = 60, identical_calls = 9, concurrent_calls = 2, timeout_seconds = 5, \
max_result_bytes = 1000, workspace_bytes = 0, workspace_files = 7 }
[client.gemini]
[default_deny]
extra = ["FILE_READ **/*.kdbx"]
"""


def test_every_part_of_a_policy_is_read(loader: PolicyLoader, home: Path) -> None:
    file = home / "desk.toml"
    file.write_text(FULL)
    file.chmod(0o600)
    policy = loader.load(file)
    claude = policy.clients["claude"]
    assert claude.folders == (str(home / "Notes"),)
    assert claude.global_folders == (str(home / "Shared"),)
    assert [rule.id for rule in claude.rules.allow] == ["claude.allow[0]", "claude.allow[1]"]
    assert [(rule.text, rule.line) for rule in claude.rules.ask] == [("FILE_WRITE resumes/*.md", 9)]
    assert [(rule.text, rule.line) for rule in claude.rules.deny] == [("FILE_READ private/**", 10)]
    assert [pattern.text for pattern in claude.tools] == ["read_*", "list_directory"]
    assert claude.isolation == "inline"
    assert (claude.separate_process, policy.clients["gemini"].separate_process) == (True, False)
    assert claude.limits == ClientLimits(60, 9, 2, 5.0, 1000, 0, 7)
    assert policy.clients["gemini"].limits == ClientLimits()
    assert policy.clients["gemini"].shows("anything")
    assert policy.ceiling is not None
    assert len(policy.ceiling.allow) == 3
    assert (policy.default_deny.deny[-1].id, policy.default_deny.deny[-1].line) == ("default_deny.extra[0]", 17)
    assert policy.source == str(file)


def test_relative_folders_are_relative_to_the_file(loader: PolicyLoader, home: Path) -> None:
    (home / "conf").mkdir()
    file = home / "conf" / "desk.toml"
    file.write_text('version = 1\n[client.ada]\nfolders = ["../Notes"]')
    file.chmod(0o600)
    assert loader.load(file).clients["ada"].folders == (str(home / "Notes"),)


@pytest.mark.parametrize("written", ["~", "{home}", "~/", "{home}/"])
def test_the_home_itself_can_be_a_folder(parse: Callable[[str], Policy], home: Path, written: str) -> None:
    assert parse(f'[client.ada]\nfolders = ["{written}"]').clients["ada"].folders == (str(home),)


def test_the_name_of_the_client_can_stand_in_a_folder(parse: Callable[[str], Policy], home: Path) -> None:
    (home / "agents" / "ada").mkdir(parents=True)
    assert parse('[client.ada]\nfolders = ["agents/{client}"]').clients["ada"].folders == (str(home / "agents/ada"),)


# What follows `version = 1`, the line that is to be named, and what the message must say.
BAD = [
    ("colour = 1", 2, "unknown key 'colour' in the policy"),
    ("[clients.ada]", 2, "did you mean 'client'"),
    ("client = 1", 2, "[client] must be a table"),
    ("[client]\nada = 1", 3, "[client.ada] must be a table"),
    ('[client.ada]\nalow = ["FILE_READ **"]', 3, "unknown key 'alow' in [client.ada]; did you mean 'allow'?"),
    ('[client.ada]\nallow = "FILE_READ **"', 3, "must be a list of texts"),
    ('[client.ada]\nallow = [\n"NETWORK_CONNECT a",\n1]', 5, "must hold texts only"),
    (
        '[client.ada]\nfolders = ["Notes"]\nallow = [\n  "FILE_READ **",\n  "FILE_REED **",\n]',
        6,
        "did you mean 'FILE_READ'",
    ),
    ('[client.ada]\nfolders = ["Notes"]\ndeny = ["FILE_READ [a]"]', 4, "character classes"),
    ('[client.ada]\nfolders = ["Notes"]\nask = ["* **"]', 4, "must name a type"),
    ('[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ /etc/**"]', 4, "can never match"),
    ('[client.ada]\nallow = ["FILE_READ **"]', 3, "has no folders"),
    ('[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ a", "FILE_READ a"]', 4, "twice, first as ada.allow[0]"),
    ('[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ"]\ndeny = ["FILE_READ **"]', 5, "twice"),
    ('[client.ada]\nfolders = ["Missing"]', 3, "does not exist"),
    ('[client.ada]\nfolders = ["Notes",\n"~/Notes"]', 4, "named twice"),
    ('[client.ada]\nfolders = ["Notes"]\nglobal_folders = ["Notes"]', 4, "named twice"),
    ('[client.ada]\nfolders = [""]', 3, "cannot be found"),
    ('[client.ada]\nfolders = ["~eve/x"]', 3, "cannot be found"),
    ('[client.ada]\nfolders = ["a\\u0000b"]', 3, "folder"),
    ('[client."a b"]', 2, "client name"),
    ('[client."../ada"]', 2, "client name"),
    ('[client.ada]\ntools = ["a\\n"]', 3, "U+000A"),
    ('[client.ada]\nisolation = "thread"', 3, "must be one of"),
    ('[module.notes]\nisolation = "thread"', 3, "must be one of"),
    ('[module.notes]\nisolaton = "inline"', 3, "did you mean 'isolation'"),
    ('[module.notes]\ncode = ["Missing"]', 3, "there is no file or directory"),
    ('[client.ada]\nfolders = ["Notes"]\n[module.notes]\ncode = ["Notes/lib"]', 5, "lies in a client's folder"),
    ('[client.ada]\nfolders = ["Notes"]\n[module.notes]\ncode = ["."]', 5, "lies in a client's folder"),
    ('[client.ada]\nseparate_process = "yes"', 3, "must be true or false"),
    ("[client.ada]\nseparate_process = 1", 3, "must be true or false"),
    ("[client.ada]\nseparate_proces = true", 3, "did you mean 'separate_process'"),
    ("[client.ada]\nlimits = { calls_per_minut = 1 }", 3, "did you mean 'calls_per_minute'"),
    ("[client.ada]\n[client.ada.limits]\nconcurrent_calls = 0", 4, "whole number from 1"),
    ("[client.ada]\nlimits = { timeout_seconds = nan }", 3, "a number from 1"),
    ("[client.ada]\nlimits = { workspace_bytes = true }", 3, "whole number"),
    ("[ceiling]\ndeny = []", 2, "must say what it allows"),
    ('[ceiling]\nallow = ["FILE_READ notes/**"]', 3, "relative"),
    ("[ceiling]\nallow = []\nask = []", 4, "unknown key 'ask'"),
    ('[default_deny]\nextras = ["FILE_READ **/a"]', 3, "did you mean 'extra'"),
    ('[default_deny]\nextra = ["FILE_READ **/a", "FILE_READ **/a"]', 3, "twice"),
    ("[client.ada", 2, "no TOML"),
    ("a = 1\na = 2", 3, "no TOML"),
    ("a = ", 2, "no TOML"),
    ("a = '''", 2, "no TOML"),
]


@pytest.mark.parametrize(("text", "line", "says"), BAD)
def test_what_is_not_understood_is_refused_with_its_line(
    parse: Callable[[str], Policy], text: str, line: int, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert (caught.value.source, caught.value.line) == ("desk.toml", line)
    assert str(caught.value).startswith(f"desk.toml:{line}: ")
    assert str(caught.value).count("desk.toml") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begin with 'version = 1'"),
        ("[client.ada]", "write 'version = 1'"),
        ("version = 2", "from 1 to 1"),
        ("version = true", "whole number"),
        ("version = '1'", "whole number"),
        ("version = 1\n" + "a = " + "[" * 100_000, "no TOML"),
        ("version = 1" + " " * 2_000_000, "larger"),
        ("version = " + "1" * 10_000, ""),
        ("\ufeffversion = 1", "no TOML"),
    ],
)
def test_what_is_no_policy_is_refused(loader: PolicyLoader, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loader.parse(text)
    assert says in str(caught.value)


def test_folders_without_a_file_must_be_absolute(loader: PolicyLoader) -> None:
    with pytest.raises(ConfigurationError, match="relative"):
        loader.parse('version = 1\n[client.ada]\nfolders = ["Notes"]')


def test_without_a_home_there_is_nothing_to_write_for_it(home: Path) -> None:
    loader = PolicyLoader(home="~")
    with pytest.raises(ConfigurationError, match="no home"):
        loader.parse('version = 1\n[client.ada]\nfolders = ["~/Notes"]')


def test_too_many_folders_are_refused(parse: Callable[[str], Policy]) -> None:
    with pytest.raises(ConfigurationError, match="more than 64"):
        parse(f"[client.ada]\nfolders = {['Notes'] * 65}")


def test_the_home_is_that_of_the_environment(own_home: Path) -> None:
    (own_home / "Notes").mkdir()
    policy = PolicyLoader().parse('version = 1\n[client.ada]\nfolders = ["~/Notes"]')
    assert policy.clients["ada"].folders == (str(own_home.resolve() / "Notes"),)


SANDBOX = """version = 1
[sandbox]
min_tier = "full"
accounts = [210000, 210063]
concurrent_runs = 2
warm_workers = 1
staging = "/var/lib/copies"
copied_files = 500
copied_bytes = 4_000_000
[sandbox.limits]
wall_seconds = 5
memory_bytes = 1000000
[program.git]
path = "/usr/bin/git"
arguments = ["status --short", "log -n {count:int}"]
workspace = "read"
environment = { TZ = "UTC" }
"""


def test_what_is_executed_is_read(loader: PolicyLoader) -> None:
    config = loader.parse(SANDBOX).sandbox
    assert (config.min_tier.label, config.accounts, config.warm_workers) == ("full", (210_000, 210_063), 1)
    assert config.concurrent_runs == 2
    assert (config.copies.max_files, config.copies.max_bytes, config.copies.max_depth) == (500, 4_000_000, 64)
    assert (config.limits.wall_seconds, config.limits.memory_bytes, config.limits.processes) == (5.0, 1_000_000, 64)
    git = config.programs["git"]
    assert (git.path, git.workspace, dict(git.environment)) == ("/usr/bin/git", "read", {"TZ": "UTC"})
    assert git.allows(["log", "-n", "3"])
    assert loader.parse(SANDBOX).digest != loader.parse(SANDBOX.replace("--short", "--long")).digest


def test_how_long_a_process_may_run_is_read(loader: PolicyLoader) -> None:
    assert loader.parse("version = 1").sandbox.session_seconds == 3600
    longest = SANDBOX.replace("warm_workers = 1", "session_seconds = 86400")
    assert loader.parse(longest).sandbox.session_seconds == 86_400
    assert loader.parse(longest).digest != loader.parse(SANDBOX).digest


def test_a_preset_stands_for_path_arguments_and_workspace(loader: PolicyLoader) -> None:
    git = loader.parse('version = 1\n[program.git]\npreset = "git"\n').sandbox.programs["git"]
    assert (git.name, git.path, git.workspace) == ("git", "/usr/bin/git", "read")
    assert git.allows(["status"])
    assert not git.allows(["commit", "-m", "x"])
    assert git.command(["status"])[:1] == ("--no-pager",)


def test_beside_a_preset_path_arguments_and_workspace_may_be_given(loader: PolicyLoader) -> None:
    text = 'version = 1\n[program.g]\npreset = "git"\nworkspace = "write"\n'
    git = loader.parse(text).sandbox.programs["g"]
    assert git.workspace == "write"
    assert git.allows(["commit", "-m", "x"])
    narrow = loader.parse(text + 'path = "/usr/local/bin/git"\narguments = ["status"]\n').sandbox.programs["g"]
    assert narrow.path == "/usr/local/bin/git"
    assert not narrow.allows(["commit", "-m", "x"])
    assert narrow.prefix == git.prefix


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('preset = "hg"', "must be one of 'git'"),
        ('preset = "git"\nworkspace = "none"', "'read' or 'write'"),
        ('preset = "git"\npath = "git"', "below /usr"),
        ('preset = "git"\npath = 7', "must be a text"),
        ('preset = "git"\nprefix = []', "unknown key 'prefix'"),
        ('preset = "git"\nenvironment = { GIT_DIR = "x" }', "may change what is executed"),
    ],
)
def test_a_mistake_about_a_preset_is_told_with_its_line(loader: PolicyLoader, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loader.parse(f"version = 1\n[program.git]\n{text}\n")
    assert told in str(caught.value)
    assert caught.value.line is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"full"', '"vm"', "'min_tier' in [sandbox] must be one of 'none', 'lsm', 'ns', 'full'"),
        ("[210000, 210063]", "[210063, 210000]", "the smaller first"),
        ("[210000, 210063]", "[0, 10]", "from 1000"),
        ("[210000, 210063]", "[210000]", "two whole numbers"),
        ("warm_workers = 1", "warm_workers = 100", "from 0 to 8"),
        ("concurrent_runs = 2", "concurrent_runs = 0", "from 1 to 64"),
        ("copied_files = 500", "copied_files = 50001", "from 1 to 50000"),
        ("copied_bytes = 4_000_000", "copied_bytes = 0", "from 1 to 4294967296"),
        ("warm_workers = 1", "session_seconds = 86401", "from 1 to 86400"),
        ("warm_workers = 1", "session_seconds = 0", "from 1 to 86400"),
        ("wall_seconds = 5", "wall_seconds = 0", "from 1"),
        ("wall_seconds", "wall_second", "did you mean 'wall_seconds'?"),
        ("/usr/bin/git", "git", "below /usr"),
        ('path = "/usr/bin/git"', "", "'path' in [program.git] is missing"),
        ('path = "/usr/bin/git"', "path = 7", "'path' in [program.git] must be a text"),
        ("{count:int}", "{count:number}", "unknown type 'number'"),
        ('arguments = ["status --short", "log -n {count:int}"]', "", "no form of arguments"),
        ("TZ", "LD_PRELOAD", "may change what is executed"),
        ('workspace = "read"', 'workspace = "all"', "must be one of"),
        ("[program.git]", '[program."a b"]', "program name"),
    ],
)
def test_a_mistake_about_what_is_executed_is_told_with_its_line(
    loader: PolicyLoader, old: str, new: str, told: str
) -> None:
    assert old in SANDBOX
    with pytest.raises(ConfigurationError) as caught:
        loader.parse(SANDBOX.replace(old, new))
    assert told in str(caught.value)
    assert caught.value.line is not None or "missing" in told
