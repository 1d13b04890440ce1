"""The demo account's users and roles, and the account itself."""

from __future__ import annotations

from talonone_mcp.sandbox.demo.demo_account import CREATED, DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import (
    ACCOUNT_ID,
    SHOP,
    USER_EMAIL,
    USER_ID,
    USER_NAME,
    USER_PASSWORD,
)
from talonone_mcp.sandbox.team.passwords import set_password
from talonone_mcp.sandbox.team.roles import new_role
from talonone_mcp.sandbox.team.users import new_user

_RESET_TOKEN = "Z2VgacVNkexLKBUIzsRDDZSGxnIkC53y"  # noqa: S105 - of upstream's example
_INVITE_TOKEN = "Gy9b8w1irmQtEPo5RmbMmSPheL5h4"  # noqa: S105

# Number, first and last name, state, roles, and whether an identity provider manages them
_USERS = (
    (10, "Maya Keller", "active", (1, 9), False),
    (12, "Tom Berger", "active", (1,), False),
    (33, "John Doe", "invited", (), True),
    (34, "Lena Vogt", "deactivated", (3,), False),
    (258, "Priya Nair", "active", (44,), True),
)
# Number, name, what for, and the operations that it permits
_ROLES = (
    (1, "Campaign manager", "Plans and runs campaigns", ("getCampaignOperations",)),
    (3, "Customer support", "Answers customers", ("getCouponOperations",)),
    (9, "Loyalty manager", "Runs the loyalty programs", ("getLoyaltyProgramOperations",)),
    (13, "Read-only", "Looks, and changes nothing", ("getApplicationOperations",)),
    (44, "Managers", "Comes from the identity provider", ()),
)


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    _fill_account(account)
    for number, name, description, operations in _ROLES:
        _fill_role(account, number, name, description, operations)
    for number, name, state, roles, provisioned in _USERS:
        settings: Document = {"provisioned": True, "authMethod": "saml"} if provisioned else {}
        if state == "invited":
            settings["inviteToken"] = _INVITE_TOKEN
        else:
            settings["lastSignedIn"] = account.day(-number / 10)
        _fill_user(account, number, name, settings | {"state": state, "roles": list(roles)})
    _fill_admin(account)


def _fill_account(account: DemoAccount) -> None:
    account.store.add(
        "accounts",
        {
            "id": ACCOUNT_ID,
            "created": account.day(CREATED),
            "modified": account.day(-30),
            "companyName": "Example Retail",
            "domainName": "sandbox",
            "state": "active",
            "billingEmail": "billing@example.com",
            "planName": "Sandbox",
            "planExpires": account.day(365),
            "applicationLimit": 10,
            "userLimit": 50,
            "campaignLimit": 500,
            "apiLimit": 1_000_000,
            "attributes": {},
        },
    )


def _fill_role(
    account: DemoAccount, number: int, name: str, description: str, operations: tuple[str, ...]
) -> None:
    sets = [{"name": name, "logicalOperations": list(operations)}] if operations else []
    new_role(
        account.store,
        account.day(CREATED),
        name,
        id=number,
        description=description,
        permissions={
            "permissionSets": sets,
            "roles": {"applications": {str(SHOP): {"application": name}}} if sets else {},
        },
        isReadonly=number == 13,  # noqa: PLR2004
        **({} if operations else {"provisioned": True}),
    )


def _fill_user(account: DemoAccount, number: int, name: str, settings: Document) -> None:
    email = f"{name.lower().replace(' ', '.')}@example.com"
    new_user(account.store, account.day(CREATED + 10), email, id=number, name=name, **settings)


def _fill_admin(account: DemoAccount) -> None:
    store, signed_in = account.store, account.day(-0.1)
    new_user(
        store,
        account.day(CREATED),
        USER_EMAIL,
        id=USER_ID,
        name=USER_NAME,
        state="active",
        isAdmin=True,
        roles=[],
        lastSignedIn=signed_in,
        lastAccessed=signed_in,
    )
    set_password(store, USER_ID, USER_PASSWORD)
    reset = {"userId": 10, "expires": account.day(30 / 1440)}  # the link was asked for just now
    store.add("password_resets", reset, label=_RESET_TOKEN)
