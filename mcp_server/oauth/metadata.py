"""What programs read before they ask: the server's own description (RFC 8414) and that of the resource (RFC 9728)."""

from typing import Any

from tools.oauth.registration import BASIC, FLOWS, POST, PUBLIC
from tools.oauth.service import OAuthService

AUTHORIZE, TOKEN, REGISTER, REVOKE = "/authorize", "/token", "/register", "/revoke"
"""The paths that programs of revision 2025-03-26 take without reading the metadata."""
SERVER_PATHS = (
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration/mcp",
    "/mcp/.well-known/openid-configuration",
)
"""The first is where RFC 8414 puts it; programs try the others when they look for it, with and without the path of /mcp."""
RESOURCE_PATH = "/.well-known/oauth-protected-resource/mcp"
RESOURCE_PATHS = (RESOURCE_PATH, "/.well-known/oauth-protected-resource")


def server_metadata(service: OAuthService, issuer: str) -> dict[str, Any]:
    """RFC 8414, 2; RFC 9207, 3; draft-ietf-oauth-client-id-metadata-document, 5. `issuer`: the address that the program
    knows this server by. People are always asked at the usual one, where they are signed in."""
    methods = [PUBLIC, POST, BASIC]
    return {
        "issuer": issuer,
        "authorization_endpoint": service.issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "registration_endpoint": issuer + REGISTER,
        "revocation_endpoint": issuer + REVOKE,
        "scopes_supported": service.scopes.supported,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(FLOWS),
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


def resource_metadata(service: OAuthService, address: str) -> dict[str, Any]:
    """RFC 9728, 2. Programs ask for the scopes named here when they are told nothing else, so these are the usual ones."""
    return {
        "resource": f"{address}/mcp",
        "resource_name": "Lyceum",
        "authorization_servers": [address],
        "scopes_supported": service.scopes.default,
        "bearer_methods_supported": ["header"],
    }
