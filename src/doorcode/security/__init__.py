"""Owns the locks: small, each one primitive."""
