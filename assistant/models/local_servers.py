"""Finding a model server: on this machine for `auto`, and the names of the models a server holds."""

import ipaddress
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

KNOWN = (
    ("ollama", "http://127.0.0.1:11434/v1"),
    ("lmstudio", "http://127.0.0.1:1234/v1"),
    ("llamacpp", "http://127.0.0.1:8080/v1"),
)
"""Name and address of the servers that `auto` looks for, in order of preference; their documented default ports."""

LLAMACPP_OWNER = "llamacpp"
"""`owned_by` in llama.cpp's answer. Port 8080 is anybody's, so there the answer must say whose it is."""


@dataclass(frozen=True)
class Found:
    """A model that a server offers."""

    server: str
    base_url: str
    model: str


def find_local_model(seconds: float, servers: tuple[tuple[str, str], ...] = KNOWN) -> Found | None:
    """The first chat model on this machine, or None. Asks all servers at once and returns within about `seconds`."""
    pool = ThreadPoolExecutor(max_workers=len(servers), thread_name_prefix="model-probe")
    asked = [pool.submit(_first_model, name, url, seconds) for name, url in servers]
    wait(asked, timeout=seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    answers = [f.result() for f in asked if f.done() and not f.cancelled()]
    return next((a for a in answers if a is not None), None)


def _first_model(server: str, base_url: str, seconds: float) -> Found | None:
    for entry in list_models(base_url, None, seconds):
        if server == "llamacpp" and entry.get("owned_by") != LLAMACPP_OWNER:
            continue
        if "embed" not in str(entry["id"]).lower():
            return Found(server, base_url, str(entry["id"]))
    return None


def list_models(base_url: str, api_key: str | None, seconds: float) -> list[dict[str, Any]]:
    """Entries of `GET {base_url}/models`, each with a text `id`; empty when nothing useful answers in time."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        with httpx.Client(timeout=seconds, trust_env=not is_private(base_url)) as client:
            answer = client.get(f"{base_url.rstrip('/')}/models", headers=headers)
            body = answer.json() if answer.status_code == 200 else {}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return []
    entries = body.get("data") if isinstance(body, dict) else None
    return [e for e in entries or [] if isinstance(e, dict) and isinstance(e.get("id"), str)]


def is_private(base_url: str) -> bool:
    """Whether an address is this machine or a private network (loopback, RFC 1918, link-local, *.local, a bare name)."""
    host = urlsplit(base_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".localhost", ".internal")) or "." not in host
    return address.is_private or address.is_loopback or address.is_link_local
