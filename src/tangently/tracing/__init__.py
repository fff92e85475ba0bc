"""Tracing: a Python callable and its arguments to expressions."""
