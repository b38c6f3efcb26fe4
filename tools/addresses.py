"""Where this server is reached, as programs compare it: letter by letter."""

from storage.settings import Settings

THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")


def addresses(settings: Settings) -> tuple[str, ...]:
    """Where this server is reached, the usual address first. On a laptop every name of the machine itself is as good: people
    type `localhost`, and programs compare addresses letter by letter."""
    if settings.public_url or settings.host not in THIS_MACHINE:
        return (settings.base_url,)
    others = (f"http://{name}:{settings.port}" for name in THIS_MACHINE)
    return tuple(dict.fromkeys((settings.base_url, *others)))


def own_address(settings: Settings, host: str | None) -> str:
    """The address of ours that a request with this Host header was sent to."""
    found = (address for address in addresses(settings) if address.partition("://")[2] == host)
    return next(found, settings.base_url)


def mcp_urls(settings: Settings) -> tuple[str, ...]:
    """The MCP server as programs name it, the usual name first: the resource that tokens are made for (RFC 8707)."""
    return tuple(f"{address}/mcp" for address in addresses(settings))
