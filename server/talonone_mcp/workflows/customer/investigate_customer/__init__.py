"""Investigate a customer: what they have and what they did lately."""

from talonone_mcp.workflows.customer.investigate_customer.customer_investigation import (
    investigate_customer,
)

__all__ = ["investigate_customer"]
