"""Recorded motions from files, a module per format; each gives a `Recorded`."""
