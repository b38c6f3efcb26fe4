"""`lyceum mcp install`: what is printed for each client, and what is written into its file."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.cli import app
from assistant.cli.mcp_clients import CLIENTS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and a project in it to stand in."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("LYCEUM_PUBLIC_URL", "https://lyceum.example.org")
    monkeypatch.chdir(project)
    return tmp_path


def install(*words: str) -> Result:
    return CliRunner().invoke(app, ["mcp", "install", *words])


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_written_is_what_was_printed_and_stands_there_once(name: str, home: Path) -> None:
    client, path = CLIENTS[name], CLIENTS[name].path(home)
    printed = install(name)
    assert (printed.exit_code, path.exists()) == (0, False), printed.output
    first, again = install(name, "--write"), install(name, "--write")
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert "already" in again.output
    text = path.read_text()
    document = tomllib.loads(text) if client.is_toml else json.loads(text)
    entry = document[client.root]["lyceum"]
    if client.by_url is None:
        assert entry["args"][-1] == "mcp"
        assert "lyceum" in entry["command"]
    else:
        assert "https://lyceum.example.org/mcp" in entry.values()
    assert text.strip() in printed.output
    assert list(path.parent.glob(".*-*")) == [], "nothing half written is left"


def test_everything_else_in_the_file_stays(home: Path) -> None:
    cursor, codex = CLIENTS["cursor"].path(home), CLIENTS["codex"].path(home)
    cursor.parent.mkdir()
    codex.parent.mkdir()
    cursor.write_text('{"theme": "ünï", "mcpServers": {"other": {"url": "https://other.example"}}}')
    cursor.chmod(0o600)
    codex.write_text('# my settings\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "other"\n')
    assert install("cursor", "--write").exit_code == install("codex", "--write").exit_code == 0
    document = json.loads(cursor.read_text())
    assert document["theme"] == "ünï"
    assert list(document["mcpServers"]) == ["other", "lyceum"]
    assert cursor.stat().st_mode & 0o777 == 0o600
    assert codex.read_text().startswith('# my settings\nmodel = "x"\n')
    assert list(tomllib.loads(codex.read_text())["mcp_servers"]) == ["other", "lyceum"]


@pytest.mark.parametrize("text", ['{"mcpServers": {}, // mine\n}', "[1, 2]", '{"mcpServers": []}', "{"])
def test_a_file_that_cannot_be_read_is_left_alone(text: str, home: Path) -> None:
    path = CLIENTS["cursor"].path(home)
    path.parent.mkdir()
    path.write_text(text)
    refused = install("cursor", "--write")
    assert refused.exit_code == 1
    assert "by hand" in refused.output
    assert path.read_text() == text


def test_another_entry_in_a_toml_file_is_not_overwritten(home: Path) -> None:
    path = CLIENTS["codex"].path(home)
    path.parent.mkdir()
    path.write_text('[mcp_servers.lyceum]\nurl = "http://elsewhere"\n')
    refused = install("codex", "--write")
    assert refused.exit_code == 1
    assert "another entry" in refused.output
    assert "elsewhere" in path.read_text()


def test_what_is_chosen_goes_into_the_address_or_the_command(home: Path) -> None:
    chosen = ("--toolsets", "search,tests", "--read-only", "--class", "Biology 1")
    by_url = install("cursor", *chosen).output
    assert "/mcp?toolsets=search%2Ctests&class=Biology+1&readonly=1" in by_url
    by_command = install("cursor", "--stdio", *chosen, "--data-dir", str(home / "data")).output
    entry = json.loads(by_command[by_command.index("{") : by_command.rindex("}") + 1])
    arguments = entry["mcpServers"]["lyceum"]["args"]
    assert arguments[-8:] == [
        *("mcp", "--data-dir", str(home / "data")),
        *("--toolsets", "search,tests", "--class", "Biology 1", "--read-only"),
    ]


def test_without_a_name_all_clients_are_listed_and_an_unknown_one_is_refused(home: Path) -> None:
    assert all(name in install().output for name in CLIENTS)
    unknown = install("netscape")
    assert unknown.exit_code == 1
    assert "claude-code" in unknown.output
