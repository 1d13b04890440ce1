"""Achievements, and the progress that customers make in them."""
