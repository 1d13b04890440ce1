"""Benchmarks, run by hand: what they print are figures of the machine that they run on."""
