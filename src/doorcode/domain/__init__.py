"""Owns the rules. Pure: no I/O, no clock, no randomness, no SQL, no framework.

Time comes in as an argument, always as whole milliseconds since the Unix epoch
(the unit of the wire), and the next state goes out.
"""
