"""The chat models behind the agent: built-in, planned (small local models) and native, chosen by the settings."""
