"""Drills: what happens to runs, and to the page, when things go wrong on purpose."""
