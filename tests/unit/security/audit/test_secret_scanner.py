from __future__ import annotations

import pytest

from mcp_server.security.audit.secret_scanner import SecretScanner


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "user_password",
        "dbPasswd",
        "token",
        "accessToken",
        "Authorization",
        "client-secret",
        "api_key",
        "apiKey",
        "APIKey",
        "X-API-Key",
        "private_key",
        "aws_secret_access_key",
        "cookie",
        "AUTH",
        "sessionId",
    ],
)
def test_name_announces_a_secret(name: str) -> None:
    assert SecretScanner().names_secret(name)


@pytest.mark.parametrize(
    "name", ["path", "author", "tokenizer", "key", "keyboard", "passenger", "compass", "", "é", "text"]
)
def test_name_announces_none(name: str) -> None:
    assert not SecretScanner().names_secret(name)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Bearer eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "jwt"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII", "pem"),
        ("key=AKIA" + "A1B2C3D4E5F6G7H8", "aws_key"),
        ("AIza" + "x" * 35, "google_key"),
        ("ghp_" + "a" * 36, "github_token"),
        ("xoxb-" + "1234567890ab", "slack_token"),
        ("sk-" + "a" * 30, "vendor_key"),
        ("https://user:hunter2@example.org/", "url_password"),
    ],
)
def test_shape_of_a_secret_is_recognised(text: str, shape: str) -> None:
    assert SecretScanner().find(text) == shape


@pytest.mark.parametrize(
    "text",
    ["", "/home/u/notes/a.txt", "https://example.org:8080/a@b", "task-list", "-----BEGIN CERTIFICATE-----", "eyJ"],
)
def test_ordinary_text_is_not_a_secret(text: str) -> None:
    assert SecretScanner().find(text) is None
