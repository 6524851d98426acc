"""Input of which nobody knows what it is: valid input that was spoilt, and bytes of no sort.

One file for each sort of reader. What is never seen: an exception that is not the reader's own, an
answer of the server's failing (5xx) or none at all, a row that a refused request left behind.
"""
