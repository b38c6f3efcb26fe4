"""What the worker does without being asked, and the copy of their data that a person can take away."""
