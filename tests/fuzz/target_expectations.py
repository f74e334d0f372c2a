"""Files of expectations: a text is expectations or an error that says where, and either can be told."""

from __future__ import annotations

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.expectation_loader import read_expectations
from mcp_server.security.permissions.policy_loader import PolicyLoader

name = "expectations"

corpus = (
    b'[[expect]]\nclient = "ada"\ntype = "FILE_READ"\nresource = "a.md"\neffect = "allow"\n',
    b'policy = "desk.toml"\n[[expect]]\nclient = "eve"\ntype = "FILE_READ"\nresource = "/x"\neffect = "deny"\n',
    b'[[expect]]\nclient = "ada"\ntype = "CUSTOM_X"\nresource = "a"\neffect = "ask"\nat = 2030-01-01T00:00:00Z\n',
    b'[[expect]]\nclient = "ada"\ntype = "S3_READ"\nresource = "b/../k"\neffect = "deny"\n# \xc3\xa9\n',
)

POLICY = PolicyLoader(home="/home/ada", realpath=lambda path: path, isdir=lambda path: True).parse(
    'version = 1\n[client.ada]\nfolders = ["/srv"]\nallow = ["FILE_READ *.md"]\n[client.eve]\n'
)


def run(data: bytes) -> None:
    """Read the input, and hold the policy against it."""
    text = data.decode("utf-8", "replace")
    refusal: ConfigurationError | None = None
    try:
        _, expected = read_expectations(text, source="fuzz")
    except ConfigurationError as error:
        refusal = error
    if refusal is not None:
        assert refusal.source == "fuzz"
        assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + 1
        return
    assert expected
    for each in expected:
        problem = each.problem(POLICY, now=0.0)
        assert problem is None or problem
        assert each.line is not None
