"""Timings of the parts of the pipeline, one JSON line each."""
