"""`lyceum doctor`: one page of what is wrong across the stores, and how to mend it."""
