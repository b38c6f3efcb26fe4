"""The agent loop: the tools as a model sees them, citations, the system prompt."""
