from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_people_see_each_tool_with_its_permissions_and_cost(run: Any, server: tuple[str, ...]) -> None:
    done = run("tools", *server)
    assert done.code == 0
    assert "read_text_file" in done.out
    assert "FILE_READ **" in done.out
    assert "tokens of the model's context" in done.out.splitlines()[-1]


def test_programs_get_one_list(run: Any, server: tuple[str, ...]) -> None:
    done = run("tools", *server, "--json")
    assert done.code == 0
    tools = {each["tool"]: each for each in done.data}
    assert tools["read_text_file"]["permissions"] == ["FILE_READ **"]
    assert all(each["tokens"] > 10 and each["description"] for each in tools.values())


def test_a_client_without_rights_is_shown_less(run: Any, server: tuple[str, ...]) -> None:
    names = {each["tool"] for each in run("tools", *server, "--json").data}
    everything = {each["tool"] for each in run("tools", "--folder", "/usr/share", *server[2:], "--json").data}
    assert "read_text_file" in names & everything
    assert names <= everything


def test_a_client_that_the_policy_does_not_name_is_wrong_use(run: Any, server: tuple[str, ...]) -> None:
    done = run("tools", *server, "--client", "nobody")
    assert done.code == 2
    assert "it names local" in done.err


def test_more_tools_than_one_page_are_all_listed(
    run: Any, server: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "many_tools.py").write_text(
        "from mcp_server import Module\n"
        "module = Module('many')\n"
        "async def handler(client, params): return 'x'\n"
        "for number in range(2500):\n"
        "    module.register_tool(name=f't{number}', description='x', input_schema={'type': 'object'}, "
        "handler=handler)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    done = run("tools", *server, "--module", "many_tools", "--json")
    assert done.code == 0, done
    assert len({each["tool"] for each in done.data} & {f"t{number}" for number in range(2500)}) == 2500
