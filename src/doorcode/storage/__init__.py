"""Owns the memory: one interface, and the engines that stand behind it."""
