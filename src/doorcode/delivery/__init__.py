"""Owns the post: codes leave the server here, by text message or by e-mail."""
