"""Workflows about coupons."""
