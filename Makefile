# `make run` and `make test` set up everything they need; a second call does nothing twice.

PYTHON ?= python3
BIN := .venv/bin
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: run demo test check bench schema-page format lock clean conformance

run: .venv/.run widget
	@$(BIN)/lyceum serve

demo: .venv/.run
	@$(BIN)/lyceum demo

test: .venv/.dev .venv/.s3 widget browser
	cd widget && npm test --silent
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder tests

check: .venv/.dev widget
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The official suite in both protocol eras, and the MCP Inspector, against the real app; needs npm and ../shared.
conformance: .venv/.dev
	@$(BIN)/python -m tests.conformance

bench: .venv/.dev widget
	$(BIN)/python -m benchmarks

# The generated parts of docs/schema.md, after a change of storage/models or docs/designs.
schema-page: .venv/.run
	$(BIN)/python -m migrations.schema_page

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Both locks from pyproject.toml, and the one of the tests' S3 endpoint; needs uv on the PATH.
lock:
	uv pip compile -q pyproject.toml --extra speech --group build --generate-hashes --universal --python-version 3.11 --no-annotate -o requirements.lock
	uv pip compile -q pyproject.toml --extra speech --group dev -c requirements.lock --generate-hashes --universal --python-version 3.11 --no-annotate -o requirements-dev.lock
	uv pip compile -q tests/s3_requirements.txt --generate-hashes --universal --python-version 3.11 --no-annotate -o requirements-s3.lock

clean:
	rm -rf .venv .cache assistant/static mcp_server/apps/built widget/node_modules tests/conformance/node_modules

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lyceum needs Python 3.11 or newer: make run PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.run: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing Lyceum into .venv (a minute or two, once)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

# The S3 endpoint of the tests lives apart: its dependencies and ours do not go together.
.venv/.s3: requirements-s3.lock | .venv/bin/python
	@$(PYTHON) -m venv .venv/s3
	@.venv/s3/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-s3.lock
	@touch $@

.PHONY: widget browser
widget: | .venv/bin/python
	@$(BIN)/python widget/build.py

# The browser tests drive a real Chromium; without one and without apt-get they say so and skip.
browser:
ifeq ($(CHROMIUM),)
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Chromium for the browser tests…"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else echo "No Chromium found and it cannot be installed here: the browser tests will be skipped."; fi
endif
