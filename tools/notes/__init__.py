"""Notes out of material: topics, the sentences that matter, and a citation for each point."""
