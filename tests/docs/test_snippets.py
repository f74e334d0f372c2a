"""The examples in the documents run as they stand.

The Python of a page is one program: its blocks are run in order, in one module, at the lines where they stand in the
page, so that a traceback points into the page. Blocks of TOML with a title are policies: they are checked by the loader
and lie, under that title, in the directory in which the program runs.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import re
import shlex
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from mcp_server.cli.demonstration import Demonstration
from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.main import COMMANDS, _parser
from mcp_server.cli.output import Output
from mcp_server.core.config_loader import FILE_KEYS
from mcp_server.core.mcp_server import MCPServer
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.resources.archives.archive_formats import SUFFIXES
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.program_presets import GIT_READING, GIT_WRITING
from mcp_server.security.audit.record_kind import KINDS
from mcp_server.security.client_context import ClientContext
from mcp_server.security.doors.file_door import FileDoor
from mcp_server.security.doors.http_door import HttpDoor
from mcp_server.security.permissions.client_limits import ClientLimits
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.tools.modules.archive_module import ArchiveModule
from mcp_server.tools.modules.execution_module import ExecutionModule
from mcp_server.tools.modules.filesystem_tools import tool_definitions

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#[^)\s]*)?\)")
DEMO_COLUMNS = 50


def blocks(page: Path, language: str) -> list[re.Match[str]]:
    return [block for block in BLOCK.finditer(page.read_text(encoding="utf-8")) if block["language"] == language]


def with_blocks(language: str) -> list[object]:
    return [pytest.param(page, id=str(page.relative_to(CHECKOUT))) for page in PAGES if blocks(page, language)]


def program_of(page: Path) -> str:
    """Return the page's Python, every other line being empty."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    for block in blocks(page, "python"):
        first = text.count("\n", 0, block.start("text"))
        for offset, line in enumerate(block["text"].splitlines()):
            lines[first + offset] = line
    return "\n".join(lines) + "\n"


@pytest.fixture
def policies(own_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """The page's policies, written into a directory of the operator's, with the folders that they name."""
    written = []
    for block in blocks(request.getfixturevalue("page"), "toml"):
        if block["title"]:
            path = tmp_path / block["title"]
            path.write_text(block["text"], encoding="utf-8")
            path.chmod(0o600)
            for client in tomllib.loads(block["text"]).get("client", {}).values():
                for folder in [*client.get("folders", []), *client.get("global_folders", [])]:
                    (own_home / folder.removeprefix("~/")).mkdir(parents=True, exist_ok=True)
            written.append(path)
    return written


@pytest.mark.parametrize("page", with_blocks("python"))
def test_the_python_of_a_page_runs(
    page: Path, policies: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "page_" + page.stem.replace("-", "_")
    file = tmp_path / f"{name}.py"
    file.write_text(program_of(page), encoding="utf-8")
    specification = importlib.util.spec_from_file_location(name, file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, name, module)
    specification.loader.exec_module(module)


@pytest.mark.parametrize("page", with_blocks("toml"))
def test_the_policies_of_a_page_are_good(page: Path, policies: list[Path]) -> None:
    assert policies
    for policy in policies:
        assert PolicyLoader().load(policy).clients


@pytest.mark.parametrize("page", with_blocks("json"))
def test_the_json_of_a_page_is_json(page: Path) -> None:
    assert all(json.loads(block["text"]) for block in blocks(page, "json"))


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(CHECKOUT))) for page in PAGES])
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_demonstration_goes_as_the_readme_shows_it() -> None:
    shown = [line[:DEMO_COLUMNS] for line in (CHECKOUT / "README.md").read_text(encoding="utf-8").splitlines()]
    shown = [line for line in shown if line.startswith("  ✓")]
    stream = io.StringIO()
    assert Demonstration(output=Output(as_json=False, stream=stream)).run() is ExitCode.DONE
    seen = [line[:DEMO_COLUMNS] for line in stream.getvalue().splitlines()]
    assert len(shown) > 10
    assert [line for line in shown if line not in seen] == []


def test_every_target_of_make_that_a_page_names_exists() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        (str(page.relative_to(CHECKOUT)), target)
        for page in PAGES
        for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert sorted((page, target) for page, target in named if target not in targets) == []


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(page.relative_to(CHECKOUT / "docs")) for page in (CHECKOUT / "docs").rglob("*.md")]
    assert [page for page in pages if f": {page}" not in contents] == []


def test_every_decision_is_listed_by_its_title() -> None:
    index = (CHECKOUT / "docs" / "decisions" / "index.md").read_text(encoding="utf-8")
    for page in sorted((CHECKOUT / "docs" / "decisions").glob("0*.md")):
        title = page.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"| [{int(page.name[:4])}]({page.name}) | {title}" in index


def test_decisions_have_their_four_parts() -> None:
    pages = sorted((CHECKOUT / "docs" / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.match(rf"# {int(page.name[:4])}\. \S", text)
        assert "\nAccepted, " in text or "\nSuperseded by " in text
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]


def test_the_reference_names_every_member_of_the_client_context() -> None:
    text = (CHECKOUT / "docs" / "reference" / "client-context.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `client\.([a-z_.]+)` \|", text, re.MULTILINE))
    public = {name for name in vars(ClientContext) if not name.startswith("_")} - {"files", "http", "resolve_path"}
    doors = {f"files.{name}" for name in vars(FileDoor) if not name.startswith("_")} - {"files.absolute"}
    doors |= {f"http.{name}" for name in vars(HttpDoor) if not name.startswith("_")}
    assert named == public | doors


def test_the_reference_names_every_permission_type() -> None:
    text = (CHECKOUT / "docs" / "reference" / "permission-types.md").read_text(encoding="utf-8")
    assert [name for name in PermissionType.names() if f"`{name}`" not in text] == []


def test_the_reference_names_every_limit() -> None:
    text = (CHECKOUT / "docs" / "reference" / "policy-file.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(ClientLimits) if f"\n| `{field.name}` |" not in text] == []


def console_lines() -> list[tuple[str, str]]:
    return [
        (str(page.relative_to(CHECKOUT)), line.removeprefix("$ mcp-server "))
        for page in PAGES
        for block in blocks(page, "console")
        for line in block["text"].splitlines()
        if line.startswith("$ mcp-server ")
    ]


@pytest.mark.parametrize(("page", "line"), console_lines())
def test_the_commands_of_a_page_are_understood(page: str, line: str) -> None:
    given = shlex.split(line)
    assert _parser(given).parse_args(given).command == given[0], page


def test_the_reference_names_every_command_and_option() -> None:
    text = (CHECKOUT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    options = {
        option
        for parser in leaves(_parser([]))
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }
    assert [option for option in sorted(options) if f"`{option}" not in text] == []
    assert [name for name in COMMANDS if f"\n## {name}\n" not in text] == []


def leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of commands that have no commands of their own."""
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        return [parser]
    return [leaf for action in nested for child in action.choices.values() for leaf in leaves(child)]


def test_the_reference_names_every_exit_code() -> None:
    text = (CHECKOUT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d) \|", text, re.MULTILINE) == [str(code.value) for code in ExitCode]


def test_the_reference_names_every_error_code() -> None:
    text = (CHECKOUT / "docs" / "reference" / "error-codes.md").read_text(encoding="utf-8")
    assert [code.name for code in ErrorCode if str(code.value) not in text] == []


def test_the_reference_names_every_kind_of_record_that_is_written() -> None:
    text = (CHECKOUT / "docs" / "reference" / "audit-records.md").read_text(encoding="utf-8")
    sources = [path for path in (CHECKOUT / "mcp_server").rglob("*.py") if path.name != "record_kind.py"]
    written = {
        kind for path in sources for kind in re.findall(r'"([a-z]+\.[a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert {"call.intent", "log.open", "policy.rejected"} <= written & KINDS.keys()
    assert sorted(kind for kind in written & KINDS.keys() if f"`{kind}`" not in text) == []


def test_the_reference_names_every_execution_tool_its_arguments_and_every_end() -> None:
    text = (CHECKOUT / "docs" / "reference" / "execution-module.md").read_text(encoding="utf-8")
    rows = {row[1]: row[0] for row in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}
    module = ExecutionModule()
    module.lower()
    for name, tool in module.tools.items():
        assert [each for each in tool.input_schema["properties"] if f"`{each}`" not in rows[name]] == [], name
    assert [reason.value for reason in EndReason if f"`{reason.value}`" not in text] == []


def test_the_reference_names_every_file_tool_and_its_arguments() -> None:
    text = (CHECKOUT / "docs" / "reference" / "filesystem-module.md").read_text(encoding="utf-8")
    rows = {row[1]: row[0] for row in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}
    for definition in tool_definitions():
        row = rows[definition["name"]]
        if definition["name"] != "read_file":
            assert all(f"`{argument}`" in row for argument in definition["input_schema"]["properties"])
        for permission in definition["permissions"]:
            assert f"`{permission.type}`" in row


def test_the_reference_names_every_archive_tool_its_arguments_and_endings() -> None:
    text = (CHECKOUT / "docs" / "reference" / "archive-module.md").read_text(encoding="utf-8")
    rows = {row[1]: row[0] for row in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}
    module = ArchiveModule()
    module.lower()
    for name, tool in module.tools.items():
        assert all(f"`{argument}`" in rows[name] for argument in tool.input_schema["properties"])
        assert all(f"`{permission.type}`" in rows[name] for permission in tool.permissions)
    assert [suffix for suffix in SUFFIXES if f"`{suffix}`" not in text] == []


def test_the_guide_to_git_names_every_verb() -> None:
    text = (CHECKOUT / "docs" / "how-to" / "let-a-model-use-git.md").read_text(encoding="utf-8")
    assert [form for form in (*GIT_READING, *GIT_WRITING) if f"`{form.split()[0]}" not in text] == []


def test_the_reference_names_every_key_of_the_configuration_file() -> None:
    text = (CHECKOUT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    table = text.partition("### The configuration file")[2].partition("### ")[0]
    assert [key for key in FILE_KEYS if f"`{key}`" not in table] == []


def test_the_reference_names_every_member_of_the_server() -> None:
    text = (CHECKOUT / "docs" / "reference" / "server.md").read_text(encoding="utf-8")
    public = {name for name in vars(MCPServer) if not name.startswith("_")} | {"config", "catalog"}
    assert [name for name in sorted(public) if f"`{name}`" not in text] == []
