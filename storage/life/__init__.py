"""The end of data: how long things are kept, what belongs to a person, and removing it from each store."""
