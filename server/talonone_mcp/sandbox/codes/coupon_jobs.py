"""Jobs that create or delete coupons after the request is answered, as upstream does.

A job is work that the account keeps. Every later request does a part of it before its own, so a
job goes on after a restart, and nobody has to wait for a large one.
"""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.campaigns.campaign_records import add_to_counters
from talonone_mcp.sandbox.codes.coupons import coupon_filters, new_code, new_coupon, settings_of
from talonone_mcp.sandbox.documents.conditions import Condition
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall

_MOST = 5_000_000  # https://docs.talon.one/management-api: createCouponsAsync
_PART = 2_000  # coupons that one request works off: some hundredths of a second


def create_coupons_async(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    asked = dict(call.arguments) | call.arguments.get("couponSettings", {})
    count = asked["numberOfCoupons"]
    if not 1 <= count <= _MOST:
        raise RefusalError(400, f"must be between 1 and {_MOST}", pointer="/numberOfCoupons")
    pattern = {name: asked[name] for name in _PATTERN if name in asked}
    new_code(call, campaign, pattern)  # a pattern that has no code at all is refused now
    settings = settings_of(call, asked)
    _begin(call, campaign, {"left": count, "pattern": pattern, "settings": settings})
    return 200, {"batchId": settings["batchId"]}


_PATTERN = ("couponPattern", "validCharacters", "uniquePrefix")


def create_coupon_deletion_job(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    wanted = {"filters": call.arguments["filters"], "at": stamp(call.now)}
    upstream = call.store.add("coupon_deletion_jobs", {"campaignId": campaign["id"], **wanted})
    # What exists when the job is made is deleted, not what is created while it runs.
    last = call.store.next_id("coupons") - 1
    _begin(call, campaign, {**wanted, "last": last})
    return 202, {"id": upstream["id"]}


def _begin(call: SandboxCall, campaign: Document, job: Document) -> None:
    call.store.add("coupon_jobs", {"campaignId": campaign["id"], **job}, parent=campaign["id"])
    work_off(call)


def work_off(call: SandboxCall) -> None:
    """Do part of the oldest open job."""
    for job in call.store.select("coupon_jobs", limit=1):
        campaign = call.store.get("campaigns", job["campaignId"]) or {}
        done = _create(call, campaign, job) if "pattern" in job else _delete(call, campaign, job)
        if done:
            call.store.delete("coupon_jobs", job["id"])


def _create(call: SandboxCall, campaign: Document, job: Document) -> bool:
    count = min(job["left"], _PART)
    for made in range(count):
        try:
            code = new_code(call, campaign, job["pattern"])
        except RefusalError:  # the codes ran out: the job ends with those that there are
            add_to_counters(call.store, campaign["id"], couponCreationCount=made)
            return True
        new_coupon(call.store, campaign, code, job["settings"])
    add_to_counters(call.store, campaign["id"], couponCreationCount=count)
    call.store.replace("coupon_jobs", job | {"left": job["left"] - count})
    return bool(job["left"] == count)


def _delete(call: SandboxCall, campaign: Document, job: Document) -> bool:
    existed = Condition("id <= ?", (job["last"],))
    where = [*coupon_filters(job["filters"], moment(job["at"])), existed]
    found = call.store.select("coupons", *where, parent=campaign["id"], limit=_PART)
    for coupon in found:
        call.store.delete("coupons", coupon["id"])
    return len(found) < _PART


HANDLERS: Mapping[str, Handler] = {
    "create_coupons_async": create_coupons_async,
    "create_coupon_deletion_job": create_coupon_deletion_job,
}
