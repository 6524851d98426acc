"""The guarantees, tried from outside on test identifiers; it shares nothing with the server."""
