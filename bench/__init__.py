"""Owns the measurements: run `make bench`; results are kept beside this file."""
