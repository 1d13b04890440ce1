"""Shapes upstream's answers: which fields, in what form, and how many of them."""
