"""Reads files in a child process, so that a file that breaks its parser breaks one page and not the worker.

`child` is that process and `serve` how it answers, `wire` what the two say to each other, `process` how a worker holds a child, and `reader` what
ingestion uses.
"""
