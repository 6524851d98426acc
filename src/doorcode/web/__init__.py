"""Owns the doors: HTTP in, HTTP out, no rules."""
