"""Everything the account keeps about one customer: shown, summed up and erased."""
