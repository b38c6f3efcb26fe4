"""What data_query lets through: one SELECT made of a known set of parts."""
