"""The tools themselves, one module for each toolset. They never call each other."""
