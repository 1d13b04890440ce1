"""The logs of the account, and the webhooks that it would call."""
