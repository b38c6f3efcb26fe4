"""Files out of a document's content: one list of blocks, and a renderer for each format."""
