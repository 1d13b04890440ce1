"""The fixed numbers and names of the sandbox's account."""

ACCOUNT_ID = 3886
USER_ID, USER_NAME, USER_EMAIL = 388, "Sandbox User", "sandbox.user@example.com"
SHOP, SHOP_US = 42, 43  # its Applications
