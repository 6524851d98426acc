"""Owns the stories: load, decide, save, in one unit of work. What is decided is in `domain/`."""
