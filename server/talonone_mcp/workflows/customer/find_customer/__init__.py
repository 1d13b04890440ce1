"""Find the customer behind an id, an e-mail address, a name, a card or a code."""

from talonone_mcp.workflows.customer.find_customer.customer_search import find_customer

__all__ = ["find_customer"]
