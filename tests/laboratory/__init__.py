"""A provider laboratory: their APIs as their documentation states them, and their bad days."""
