"""Owns the door for browsers: the Frontend API of the wire."""
