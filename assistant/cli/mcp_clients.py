"""Where well-known AI clients keep their list of MCP servers, and how an entry looks there.

Paths and keys are those of the clients' own documentation as of autumn 2026; a client that changes them is mended here.
"""

import json
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from storage.errors import InvalidInput

ENTRY = "lyceum"
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Connection:
    """What a client needs: the address, or the command that it starts itself."""

    url: str
    command: str
    arguments: Sequence[str]


@dataclass(frozen=True, slots=True)
class McpClient:
    """A program that reads MCP servers from a file: under `root`, by name."""

    title: str
    path: Callable[[Path], Path]
    """The file, given the person's home folder."""
    root: str
    by_url: Callable[[str], Entry] | None
    """The entry for a server at an address; None when the file takes only commands."""
    by_command: Callable[[str, Sequence[str]], Entry]
    then: str
    """What the person does afterwards."""
    command_line: Callable[[Connection, bool], str] | None = None
    """The client's own command that adds a server (by address or not), where it has one."""
    is_toml: bool = False


def command_entry(command: str, arguments: Sequence[str]) -> Entry:
    return {"command": command, "args": list(arguments)}


def in_home(*parts: str) -> Callable[[Path], Path]:
    return lambda home: home.joinpath(*parts)


def claude_desktop_file(_: Path) -> Path:
    """In the system's place for configurations of programs."""
    return (
        platformdirs.user_config_path("Claude", appauthor=False, roaming=True) / "claude_desktop_config.json"
    )


def claude_code_line(connection: Connection, by_url: bool) -> str:
    if by_url:
        return f"claude mcp add --scope user --transport http {ENTRY} {shlex.quote(connection.url)}"
    return f"claude mcp add --scope user {ENTRY} -- {shlex.join([connection.command, *connection.arguments])}"


def codex_line(connection: Connection, by_url: bool) -> str:
    if by_url:
        return f"codex mcp add {ENTRY} --url {shlex.quote(connection.url)}"
    return f"codex mcp add {ENTRY} -- {shlex.join([connection.command, *connection.arguments])}"


CLIENTS: Mapping[str, McpClient] = {
    "claude-code": McpClient(
        "Claude Code",
        lambda _: Path.cwd() / ".mcp.json",
        "mcpServers",
        lambda url: {"type": "http", "url": url},
        lambda command, arguments: {"type": "stdio", **command_entry(command, arguments)},
        "In Claude Code, /mcp shows the server and signs in.",
        claude_code_line,
    ),
    "claude-desktop": McpClient(
        "Claude Desktop",
        claude_desktop_file,
        "mcpServers",
        None,
        command_entry,
        "Quit Claude Desktop wholly and start it again.",
    ),
    "cursor": McpClient(
        "Cursor",
        in_home(".cursor", "mcp.json"),
        "mcpServers",
        lambda url: {"url": url},
        command_entry,
        "Cursor notices the change; sign in under Settings, MCP.",
    ),
    "vscode": McpClient(
        "VS Code",
        lambda _: Path.cwd() / ".vscode" / "mcp.json",
        "servers",
        lambda url: {"type": "http", "url": url},
        lambda command, arguments: {"type": "stdio", **command_entry(command, arguments)},
        'Run "MCP: List Servers" and start it; VS Code asks to sign in.',
    ),
    "windsurf": McpClient(
        "Windsurf",
        in_home(".codeium", "windsurf", "mcp_config.json"),
        "mcpServers",
        lambda url: {"serverUrl": url},
        command_entry,
        "Press refresh in the MCP panel.",
    ),
    "gemini-cli": McpClient(
        "Gemini CLI",
        in_home(".gemini", "settings.json"),
        "mcpServers",
        lambda url: {"httpUrl": url},
        command_entry,
        "In Gemini CLI, /mcp shows the server and signs in.",
    ),
    "codex": McpClient(
        "Codex",
        in_home(".codex", "config.toml"),
        "mcp_servers",
        lambda url: {"url": url},
        command_entry,
        f"Sign in with: codex mcp login {ENTRY}",
        codex_line,
        is_toml=True,
    ),
    "lm-studio": McpClient(
        "LM Studio",
        in_home(".lmstudio", "mcp.json"),
        "mcpServers",
        lambda url: {"url": url},
        command_entry,
        "LM Studio loads the file when it is saved.",
    ),
}


def entry_for(client: McpClient, connection: Connection, by_url: bool) -> Entry:
    if by_url and client.by_url is not None:
        return client.by_url(connection.url)
    return client.by_command(connection.command, connection.arguments)


def snippet(client: McpClient, entry: Entry) -> str:
    """The entry as it stands in the client's file."""
    if client.is_toml:
        return as_toml(client.root, entry)
    return json.dumps({client.root: {ENTRY: entry}}, indent=2, ensure_ascii=False)


def as_toml(root: str, entry: Entry) -> str:
    # A JSON string or a list of them is TOML too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()]
    return "\n".join([f"[{root}.{ENTRY}]", *lines])


def merged(client: McpClient, text: str, entry: Entry) -> str | None:
    """The file's text with the entry; None when it stands there already. Everything else in the file stays as it is.

    Raises InvalidInput when the file cannot be read, or holds another entry of our name in a form that must not be rewritten.
    """
    if client.is_toml:
        return _merged_toml(client, text, entry)
    try:
        document = json.loads(text) if text.strip() else {}
        servers = document.setdefault(client.root, {})
        if servers.get(ENTRY) == entry:
            return None
        servers[ENTRY] = entry
    except (ValueError, AttributeError, TypeError) as error:
        raise _unreadable(client) from error
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _merged_toml(client: McpClient, text: str, entry: Entry) -> str | None:
    try:
        there = tomllib.loads(text).get(client.root, {}).get(ENTRY)
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise _unreadable(client) from error
    if there == entry:
        return None
    if there is not None:
        raise InvalidInput(
            f"The file has another entry called {ENTRY}. Remove it there, or change it by hand.",
            code="entry_exists",
        )
    return (f"{text.rstrip()}\n\n" if text.strip() else "") + as_toml(client.root, entry) + "\n"


def _unreadable(client: McpClient) -> InvalidInput:
    return InvalidInput(
        f"The file of {client.title} cannot be read as {'TOML' if client.is_toml else 'JSON'} (comments are not), so it was "
        "left alone. Add the entry by hand.",
        code="unreadable_configuration",
    )
