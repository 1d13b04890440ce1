"""Shapes upstream's answers: which fields, in which form, and how much of them."""
