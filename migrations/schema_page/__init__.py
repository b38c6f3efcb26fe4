"""Makes the generated parts of docs/schema.md: `python -m migrations.schema_page`."""
