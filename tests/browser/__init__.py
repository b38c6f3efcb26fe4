"""The built page in a real Chromium, with everything that `lyceum serve` starts behind it."""
