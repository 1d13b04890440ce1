"""The parts of Talon.One's documents that workflows read.

A field may be absent from any of them: answers leave out what is empty, and fields that a key may
not see. The names are those of the Management API: https://docs.talon.one/management-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class BudgetLimit(TypedDict, total=False):
    """A budget: how much of an action is allowed, counted for each of `entities` by itself."""

    action: str
    limit: float
    period: str
    entities: Sequence[str]


class BudgetUse(TypedDict, total=False):
    """How much of a budget a whole campaign has used."""

    action: str
    limit: float
    counter: float


class CodeSettings(TypedDict, total=False):
    """What generated codes look like."""

    couponPattern: str
    validCharacters: Sequence[str]


class Campaign(TypedDict, total=False):
    """A campaign, as get_campaign and list_campaigns return it."""

    id: int
    applicationId: int
    name: str
    description: str
    state: str
    frontendState: str
    created: str
    startTime: str
    endTime: str
    lastActivity: str
    tags: Sequence[str]
    features: Sequence[str]
    limits: Sequence[BudgetLimit]
    budgets: Sequence[BudgetUse]
    couponSettings: CodeSettings
    linkedStoreIds: Sequence[int]
    couponCreationCount: int
    couponRedemptionCount: int
    referralCreationCount: int
    referralRedemptionCount: int


class TemplateParameter(TypedDict, total=False):
    """A value that a campaign template asks for."""

    name: str
    type: str
    description: str


class Template(TypedDict, total=False):
    """A campaign template."""

    id: int
    name: str
    state: str
    applicationsIds: Sequence[int]
    templateParams: Sequence[TemplateParameter]
    tags: Sequence[str]
    features: Sequence[str]
    limits: Sequence[BudgetLimit]
    couponSettings: CodeSettings


class Coupon(TypedDict, total=False):
    """A coupon. Only customers' inventories have `state` and `profileRedemptionCount`."""

    id: int
    value: str
    campaignId: int
    created: str
    startDate: str
    expiryDate: str
    recipientIntegrationId: str
    usageCounter: int
    usageLimit: int
    discountCounter: float
    discountLimit: float
    discountRemainder: float
    isReservationMandatory: bool
    implicitlyReserved: bool
    reservationCounter: int
    limits: Sequence[BudgetLimit]
    attributes: Mapping[str, Any]
    state: str
    profileRedemptionCount: int


class LoyaltyProgram(TypedDict, total=False):
    """A loyalty program, as an Application lists it."""

    id: int
    title: str
    cardBased: bool


class Application(TypedDict, total=False):
    """An Application."""

    id: int
    name: str
    timezone: str
    currency: str
    caseSensitivity: str
    sandbox: bool
    enableCampaignStateManagement: bool
    attributesSettings: Mapping[str, Any]
    loyaltyPrograms: Sequence[LoyaltyProgram]


class CustomerProfile(TypedDict, total=False):
    """A customer profile."""

    id: int
    integrationId: str
    created: str
    lastActivity: str
    closedSessions: int
    totalSales: float
    sandbox: bool
    attributes: Mapping[str, Any]
    audienceMemberships: Sequence[Mapping[str, Any]]


class LoyaltyCard(TypedDict, total=False):
    """A loyalty card, as get_loyalty_card returns it."""

    identifier: str
    status: str
    newCardIdentifier: str
    oldCardIdentifier: str
    profiles: Sequence[CustomerProfile]


class CustomerSession(TypedDict, total=False):
    """A customer session, as list_application_sessions returns it."""

    id: int
    integrationId: str
    applicationId: int
    profileintegrationid: str
    created: str
    state: str
    total: float
    totalDiscounts: float
    coupon: str
    referral: str


class Transaction(TypedDict, total=False):
    """An entry of a loyalty ledger."""

    id: int
    created: str
    type: str
    amount: float
    name: str
    ruleName: str
    customerSessionId: str
    subledgerId: str
    startDate: str
    expiryDate: str


class Tier(TypedDict, total=False):
    """The tier of a loyalty program that a customer is in."""

    name: str
    expiryDate: str


class PointsBalance(TypedDict, total=False):
    """The points of a ledger or subledger."""

    currentBalance: float
    pendingBalance: float
    negativeBalance: float
    currentTier: Tier
    pointsToNextTier: float
    nextTierName: str


class LedgerDocument(TypedDict, total=False):
    """A program or a card in a customer's inventory. Programs spell it subLedgers, cards not."""

    id: int
    name: str
    title: str
    joinDate: str
    ledger: PointsBalance
    subLedgers: Mapping[str, PointsBalance]
    programID: int
    programTitle: str
    identifier: str
    status: str
    blockReason: str
    newCardIdentifier: str
    subledgers: Mapping[str, PointsBalance]
    profiles: Sequence[CustomerProfile]


class Loyalty(TypedDict, total=False):
    """The loyalty programs and cards in a customer's inventory."""

    programs: Mapping[str, LedgerDocument]
    cards: Sequence[LedgerDocument]


class Referral(TypedDict, total=False):
    """A referral code of a customer's."""

    id: int
    code: str
    campaignId: int
    created: str
    expiryDate: str
    usageCounter: int
    usageLimit: int
    referredCustomers: Sequence[str]


class Achievement(TypedDict, total=False):
    """How far a customer is in an achievement."""

    name: str
    title: str
    campaignId: int
    progress: float
    target: float
    status: str
    startDate: str
    endDate: str
    completionDate: str


class Giveaway(TypedDict, total=False):
    """A code from a giveaway pool that a customer was awarded."""

    id: int
    code: str
    poolId: int
    created: str
    endDate: str


class Inventory(TypedDict, total=False):
    """All that a customer has, as get_customer_inventory returns it."""

    profile: CustomerProfile
    coupons: Sequence[Coupon]
    referrals: Sequence[Referral]
    achievements: Sequence[Achievement]
    giveaways: Sequence[Giveaway]
    loyalty: Loyalty
