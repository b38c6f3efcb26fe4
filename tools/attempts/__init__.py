"""Attempts at tests: how they begin, end and are graded, and how they are shown."""
