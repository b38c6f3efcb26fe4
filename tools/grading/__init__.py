"""Grades answers: closed types by rule, open ones by match, meaning and rubric; every grade says how it came about. Pure."""
