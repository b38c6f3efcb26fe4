"""Writes the generated parts of docs/schema.md anew; everything outside its markers stays as it is."""

from migrations.schema_page.page import PAGE, refreshed

PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
