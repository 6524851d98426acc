"""Doorcode: sign-up and sign-in with one-time codes, self-hosted."""

__version__ = "0.1.0"
