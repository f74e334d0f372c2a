"""Barriers that leave nothing to do would be easy: what ordinary programs need works inside."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.security.isolation.sandbox_rig import SandboxRig, opened


def test_threads_and_processes_of_python_work(rig: SandboxRig) -> None:
    # From a file, as the modules behind a new interpreter are read; what is forked needs none.
    code = """
import concurrent.futures, multiprocessing, os, queue, subprocess, sys, threading

def square(number):
    return number * number

with concurrent.futures.ThreadPoolExecutor(4) as threads:
    assert list(threads.map(square, range(10))) == [n * n for n in range(10)]
processes = multiprocessing.get_context("fork")
with processes.Pool(3) as pool:
    assert pool.map(square, range(50)) == [n * n for n in range(50)]
ours, theirs = processes.Pipe()
child = processes.Process(target=theirs.send, args=({"a": 1},))
child.start()
assert ours.recv() == {"a": 1}
child.join()
assert child.exitcode == 0
answers = processes.Queue()
child = processes.Process(target=answers.put, args=(7,))
child.start()
assert answers.get() == 7
child.join()
done = subprocess.run(["/bin/echo", "hello"], capture_output=True, check=True, text=True)
assert done.stdout == "hello\\n"
assert subprocess.run("echo $((6 * 7)) | tr 4 5", shell=True, capture_output=True, text=True).stdout == "52\\n"
print("all")
"""
    result = rig.run_python(code, may_execute=True)
    assert (result.stdout.text(), result.stderr.text()) == ("all\n", "")


def test_a_script_of_the_workspace_starts_fresh_interpreters(rig: SandboxRig, folder: Path) -> None:
    (folder / "main.py").write_text(
        "import multiprocessing\n"
        "def square(number):\n    return number * number\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(pool.map(square, range(4)))\n"
    )
    with opened(folder) as workspace:
        result = rig.run_program("/usr/bin/python3", "-B", "main.py", workspace=workspace)
    assert (result.stdout.text(), result.stderr.text()) == ("[0, 1, 4, 9]\n", "")


def test_a_snippet_has_the_standard_library(rig: SandboxRig) -> None:
    code = """
import asyncio, bz2, collections, csv, ctypes, dataclasses, datetime, decimal, difflib, email, fractions, gzip, hashlib
import hmac, html, io, itertools, json, logging, lzma, math, pathlib, pickle, random, re, secrets, shelve, sqlite3
import statistics, string, struct, tempfile, textwrap, threading, time, tokenize, typing, unicodedata, uuid, xml.dom
import zipfile, zlib, zoneinfo
with tempfile.TemporaryDirectory() as name:
    pathlib.Path(name, "a").write_text("b")
    assert [each.name for each in pathlib.Path(name).iterdir()] == ["a"]
with sqlite3.connect("/tmp/a.db") as database:
    database.execute("create table t (n integer)")
    database.execute("insert into t values (1)")
    assert database.execute("select sum(n) from t").fetchone() == (1,)
async def main():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.sleep(0, n)) for n in range(3)]
    return [task.result() for task in tasks]
assert asyncio.run(main()) == [0, 1, 2]
assert __name__ == "__main__"
def f(): return g()
def g(): return 1
assert f() == 1
print("all")
"""
    result = rig.run_python(code)
    assert (result.stdout.text(), result.stderr.text()) == ("all\n", "")


def test_an_error_is_shown_as_the_interpreter_shows_it(rig: SandboxRig) -> None:
    result = rig.run_python("def f():\n    return 1 / 0\nf()")
    assert result.exit_code == 1
    shown = result.stderr.text()
    assert shown.startswith('Traceback (most recent call last):\n  File "<snippet>", line 3, in <module>\n    f()\n')
    assert shown.endswith("ZeroDivisionError: division by zero\n")
    assert "mcp_server" not in shown
    shown = rig.run_python("x = (").stderr.text()
    assert "SyntaxError" in shown
    assert "runner" not in shown


def test_git_keeps_a_repository(rig: SandboxRig, folder: Path) -> None:
    assert rig.run_program("/usr/bin/git", "--version").stdout.text().startswith("git version ")
    commands = """
set -e
git init --quiet --initial-branch main .
echo hello > file
git add file
git -c user.name=A -c user.email=a@example.org commit --quiet --message first
git log --format=%s
git status --porcelain
git gc --quiet
git fsck
"""
    with opened(folder) as workspace:
        result = rig.run_program("/bin/sh", "-c", commands, workspace=workspace, may_write=True)
    assert (result.exit_code, result.stdout.text(), result.stderr.text()) == (0, "first\n", "")
    assert (folder / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"


def test_gcc_compiles_what_then_runs(rig: SandboxRig, folder: Path) -> None:
    (folder / "hello.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 3; }\n')
    with opened(folder) as workspace:
        options = {"workspace": workspace, "may_write": True}
        built = rig.run_program("/usr/bin/gcc", "-Wall", "-o", "hello", "hello.c", **options)
        assert (built.exit_code, built.stderr.text()) == (0, "")
        result = rig.run_program("/workspace/hello", **options)
    assert (result.exit_code, result.stdout.text()) == (3, "hello\n")


# The suite brings a Node of its own for the inspector; the system's is run where there is one.
@pytest.mark.parametrize("node", [path for path in ["/usr/bin/node"] if Path(path).exists()])
def test_node_runs(rig: SandboxRig, node: str) -> None:
    code = "const {execFileSync} = require('child_process'); process.stdout.write(execFileSync('/bin/echo', ['hello']))"
    result = rig.run_program(node, "-e", code, memory_bytes=1 << 30)
    assert (result.exit_code, result.stdout.text(), result.stderr.text()) == (0, "hello\n", "")


def test_a_shell_has_its_pipes_jobs_and_files(rig: SandboxRig) -> None:
    commands = """
set -eu
seq 100 | awk '{ sum += $1 } END { print sum }'
sleep 0.01 & wait
cat <<END
here
END
cd "$TMPDIR"; mkdir -p a/b; touch a/b/c; find . -type f | sort; tar cf - a | tar tf - | wc -l; rm -r a
id -un; pwd
"""
    result = rig.run_program("/bin/bash", "-c", commands)
    assert result.stdout.text() == "5050\nhere\n./a/b/c\n3\nuser\n/tmp\n"
    assert result.stderr.text() == ""


def test_what_a_run_writes_into_its_workspace_is_there_afterwards_and_the_rest_is_not(
    rig: SandboxRig, folder: Path
) -> None:
    code = "import os; open('kept', 'w').write('x'); open('/tmp/gone', 'w').write('x'); print(os.listdir('/tmp'))"
    with opened(folder) as workspace:
        for _ in range(2):
            # The second finds nothing of the first where nothing is kept.
            assert rig.run_python(code, workspace=workspace, may_write=True).stdout.text() == "['gone']\n"
    assert [each.name for each in folder.iterdir()] == ["kept"]
    assert (folder / "kept").stat().st_mode & 0o777 == 0o600


def test_numpy_computes(rig: SandboxRig) -> None:
    # The system's own, as a program of the operator's list has it; what `run_python` runs has the standard library.
    code = "import numpy; a = numpy.arange(12.0).reshape(3, 4); print((a @ a.T).sum(), numpy.linalg.norm(a) > 0)"
    result = rig.run_program("/usr/bin/python3", "-c", code, processes=256)
    assert (result.exit_code, result.stdout.text(), result.stderr.text()) == (0, "1134.0 True\n", "")


def test_pip_installs_a_wheel_without_a_network(rig: SandboxRig, folder: Path) -> None:
    wheel = folder / "greeting-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("greeting.py", "def greet():\n    return 'hello'\n")
        archive.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        archive.writestr(
            "greeting-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("greeting-1.0.dist-info/RECORD", "")
    commands = f"""
set -e
python3 -m pip --quiet --no-cache-dir install --no-index --target installed {wheel.name}
PYTHONPATH=installed python3 -c 'import greeting; print(greeting.greet())'
"""
    with opened(folder) as workspace:
        result = rig.run_program("/bin/sh", "-c", commands, workspace=workspace, may_write=True)
    assert (result.exit_code, result.stdout.text()) == (0, "hello\n"), result.stderr.text()
