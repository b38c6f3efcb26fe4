"""The servers of the laptop mode (PostgreSQL, Valkey, Chroma) as supervised child processes.

Start with `services.LocalServices`; nothing in here imports a database client.
"""
