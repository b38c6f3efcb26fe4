"""Finding passages: reading the query, scoring by words and by meaning, fusing, and joining neighbours."""
