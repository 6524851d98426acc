"""Doorcode: sign-up and sign-in with one-time codes, self-hosted."""
