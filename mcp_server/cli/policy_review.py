"""`mcp-server policy diff`, `test`, `learn` and `unused`: what to do with a policy beside enforcing it."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.record_filter import RecordFilter
from mcp_server.security.permissions.expectation_loader import read_expectations
from mcp_server.security.permissions.policy_comparison import PolicyComparison
from mcp_server.security.permissions.policy_learner import PolicyLearner
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.policy_use import unused_rules
from mcp_server.security.permissions.recorded_question import RecordedQuestion

# Two files make a pattern, or a chance; what is asked for by the option is at least that.
LEAST_BY_DIRECTORY: Final = 2


def add_verbs(verbs: Any) -> None:
    """Describe the arguments of the four."""
    diff = verbs.add_parser("diff", help="say what a new policy widens and narrows; 1 when anything widens")
    diff.add_argument("old", metavar="OLD", help="the policy in force")
    diff.add_argument("new", metavar="NEW", help="the policy that is to take its place")
    diff.set_defaults(run=run_diff)
    test = verbs.add_parser("test", help="hold a policy against a file of expected decisions; 1 at a mismatch")
    test.add_argument("file", metavar="FILE", help="a TOML file with [[expect]]")
    test.add_argument("--policy", metavar="FILE", help="the policy, instead of the one the file names")
    test.set_defaults(run=run_test)
    learn = verbs.add_parser("learn", help="write the smallest policy that replays an audit log")
    learn.add_argument("log", metavar="LOG", help="the log's directory")
    learn.add_argument("--policy", metavar="FILE", help="the policy it was recorded under, for the clients' folders")
    learn.add_argument(
        "--by-directory",
        type=int,
        metavar="N",
        help="from N files of one directory on, grant all files in it; never one that was refused",
    )
    learn.set_defaults(run=run_learn)
    unused = verbs.add_parser(
        "unused", help="list the rules that decided nothing in an audit log; 1 when there are any"
    )
    unused.add_argument("log", metavar="LOG", help="the log's directory")
    unused.add_argument("--policy", metavar="FILE", required=True, help="the policy")
    unused.set_defaults(run=run_unused)


def run_diff(arguments: Namespace, output: Output) -> ExitCode:
    """Compare two policies; the exit status tells whether the new one widens nothing."""
    loader = PolicyLoader()
    changes = PolicyComparison(loader.load(arguments.old), loader.load(arguments.new)).changes()
    rows = [("widens" if each.widens else "narrows", each.where, each.line, each.text, each.reason) for each in changes]
    if changes or output.as_json:
        output.table(("change", "where", "line", "what", "why"), rows)
    widening = sum(each.widens for each in changes)
    output.line(f"widening: {widening}, narrowing: {len(changes) - widening}")
    return ExitCode.NO if widening else ExitCode.DONE


def run_test(arguments: Namespace, output: Output) -> ExitCode:
    """Ask a policy what a file expects of it; the exit status tells whether it decides so."""
    file = Path(arguments.file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the expectations cannot be read: {error}", source=str(file)) from error
    named, expected = read_expectations(text, source=str(file))
    if arguments.policy is None and named is None:
        raise ConfigurationError('names no policy; write policy = "FILE" in it, or give --policy', source=str(file))
    policy = PolicyLoader().load(arguments.policy or file.parent / str(named))
    now = time.time()
    problems = [(each.line, problem) for each in expected if (problem := each.problem(policy, now=now)) is not None]
    if output.as_json:
        output.data(
            {
                "ok": not problems,
                "expectations": len(expected),
                "mismatches": [{"line": line, "problem": problem} for line, problem in problems],
            }
        )
    else:
        for line, problem in problems:
            output.line(f"{file}:{line}: {problem}")
        output.line(f"{len(expected) - len(problems)} of {len(expected)} decisions are as expected")
    return ExitCode.NO if problems else ExitCode.DONE


def run_learn(arguments: Namespace, output: Output) -> ExitCode:
    """Print the policy that a log teaches; the exit status tells whether it replays all of it."""
    if arguments.by_directory is not None and arguments.by_directory < LEAST_BY_DIRECTORY:
        raise ConfigurationError(f"--by-directory takes {LEAST_BY_DIRECTORY} or more")
    policy = None if arguments.policy is None else PolicyLoader().load(arguments.policy)
    learner = PolicyLearner(_questions(arguments.log), policy=policy, by_directory=arguments.by_directory)
    text, left_out = learner.learn()
    if output.as_json:
        output.data({"policy": text, "left_out": left_out})
    else:
        output.line(text)
        # Comments, so that the whole output is the policy.
        for sentence in left_out:
            output.line(f"# left out: {sentence}")
    return ExitCode.NO if left_out else ExitCode.DONE


def run_unused(arguments: Namespace, output: Output) -> ExitCode:
    """List the rules that a log has no use for; the exit status tells whether each was used."""
    policy = PolicyLoader().load(arguments.policy)
    rules = unused_rules(policy, _questions(arguments.log))
    if rules or output.as_json:
        output.table(("rule", "line", "says"), [(rule.id, rule.line, rule.text) for rule in rules])
    output.line(f"rules that decided nothing that the log tells of: {len(rules)}")
    return ExitCode.NO if rules else ExitCode.DONE


def _questions(log: str) -> list[RecordedQuestion]:
    directory = Path(log)
    if not directory.is_dir():
        raise ConfigurationError("there is no audit log here; name its directory", source=log)
    return list(
        dict.fromkeys(
            each
            for kind in ("call", "sandbox")
            for each in RecordedQuestion.read(AuditReader(directory).records(RecordFilter(kind=kind)))
        )
    )
