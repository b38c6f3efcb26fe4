"""The authorization server over HTTP: its addresses, its metadata, and what a request of a program meets before /mcp."""
