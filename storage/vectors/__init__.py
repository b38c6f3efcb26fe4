"""Vectors in Chroma: `index` reads and inspects, `writer` embeds and writes."""
