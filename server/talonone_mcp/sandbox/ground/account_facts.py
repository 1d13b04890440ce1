"""The fixed numbers and names of the sandbox's account."""

ACCOUNT_ID = 3886
USER_ID, USER_NAME = 388, "Sandbox User"
USER_EMAIL, USER_PASSWORD = "sandbox.user@example.com", "sandbox-password"
SHOP, SHOP_US = 42, 43  # its Applications
MANAGEMENT_KEY_ID = 3  # of the key that the sandbox takes
