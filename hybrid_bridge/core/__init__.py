"""Nouns: values and their rules. The same input gives the same output; no I/O, clock, randomness or logging."""
