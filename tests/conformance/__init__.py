"""The official conformance suite and the MCP Inspector against the real app: `make conformance`."""
