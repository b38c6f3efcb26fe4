"""OAuth 2.1: programs that ask a person for access to the MCP server, and what they were given."""
