"""Synthetic data sets: the same bytes on every machine, no clock, no network, no rule of ours (SCENARIOS §3).

A generator never imports `business`, or the tests would agree with themselves; only `play` does, to carry a set out.
Every key and name says TEST, and no identifier belongs to anybody.
"""
