"""What a student did and how it went."""
