"""Conversations over AG-UI: runs that belong to the server, their event log, and recovery."""
