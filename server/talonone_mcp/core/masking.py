"""Personal data and secrets, masked where whoever reads along has no need of them.

Answers are masked when an operator asks for it; what the audit log keeps of a call's arguments,
always. A mask leaves enough to tell two people apart and not enough to reach either. Codes, ids
and dates look much like phone numbers, so a number in a text is one only where it is written as
people write them; under a key that says phone, every number is.

All patterns read text of any length in linear time: what repeats is possessive, or bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from talonone_mcp.core.catalog.model import Tool

_Rule = Callable[[str], str]

_SECRET = "[secret]"  # noqa: S105 - what stands in its place
_DEPTH = 100  # levels, as many as `shape` shows
_TOO_DEEP = "(nested too deeply to show)"
_TEXT = 200  # characters of one text that the audit log keeps
_ITEMS = 20  # items of one list that it keeps

# Everything up to an @, or up to one that a URL has encoded. The domain needs a dot and a top
# level of two letters; of any script, hence written as what is neither ASCII nor punctuation.
_IN_LOCAL = r"[^\s@<>()\[\]{},;:\"|\\/=?&]"
_BEYOND_ASCII = r"[^\s\x00-\x7f\u2000-\u206f\u3000-\u303f\uff0e\uff61]"
_EMAIL = re.compile(
    rf"(?:(?<!{_IN_LOCAL})|(?<=%40))(?P<local>(?:(?!%40){_IN_LOCAL})++)"
    rf"(?=(?:@|%40)(?:(?:[a-zA-Z0-9-]|{_BEYOND_ASCII})++[.\u3002\uff0e\uff61])+"
    rf"(?:[a-zA-Z]|{_BEYOND_ASCII}){{2}})"
)

# Four ways to write a phone number: international; with the area code in parentheses; with a zero
# in front; in short groups. The fewer marks it has, the less else it may look like.
_DATE = r"(?:19|20)\d\d-\d\d-\d\d(?![-\d])"
_SPACED_DATE = r"(?:\d\d[- ]\d\d[- ](?:19|20)\d\d|(?:19|20)\d\d[- ]\d\d[- ]\d\d)(?!\d)"
_THOUSANDS = r"[1-9]\d?(?:[ \u00a0\u202f]\d{3}){1,2}(?![- \u00a0\u202f]?\d)"
_UUID = r"[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12}"
_SPACE = r"[ \u00a0\u2009\u202f]"
_MARK = r"[ \u00a0\u2009\u202f().\-\u2010-\u2013/]"
_MORE = rf"(?:{_MARK}{{1,3}}(?!{_DATE})\d{{1,14}}+){{0,8}}+"
_SPACED = rf"(?:-|{_SPACE}{{1,2}}+(?:[-/]{_SPACE}?+)?+)(?!{_DATE}|{_UUID})"
_ALONE = rf"(?<![\w*@])(?<![\w*]-)(?<!\d[.:/,])(?!{_UUID}|{_SPACED_DATE}|{_THOUSANDS})"
_ENDS = r"(?![\w*]|-[\w*])"
_PHONE = re.compile(
    rf"(?<![\w+*])\+\(?\d{{1,15}}+{_MORE}"
    rf"|(?<![\w*])\(\+?\d{{2,5}}\){_MARK}{{0,2}}(?!{_DATE})\d{{1,14}}+{_MORE}"
    rf"|{_ALONE}00[1-9]\d{{0,14}}+{_MORE}{_ENDS}"
    rf"|{_ALONE}0[1-9](?:\d{{1,4}}+/\d{{4,12}}+|(?:\.\d\d){{4}}"
    rf"|\d{{0,10}}+(?:{_SPACED}\d{{1,12}}+){{1,8}}+){_ENDS}(?![.:]\d)"
    rf"|{_ALONE}(?:1{_SPACE})?+[1-9]\d{{1,4}}+(?:{_SPACED}\d{{2,5}}+(?!\d)){{1,6}}+"
    rf"{_ENDS}(?![.,:/][\d*])"
)
_ALSO_MARKS = re.compile(r"[\s./]")  # with dashes alone it may be a code
_FEWEST, _MOST = 7, 15  # digits of a phone number; more, with no mark in front, are many numbers

_SEPARATORS = re.compile(r"[_\-\s]+")
_WORD = re.compile(r"\S+")
_PHONE_KEY = re.compile(
    r"(?:.*(?:phone|(?<!auto)mobile|msisdn|telefon|telefax)|(?:[a-z]*[._])?(?:tel|fax)"
    r"|(?:home|work|office|private|business|customer|contact|mobile)(?:tel|fax))s?"
    r"(?:(?:number|no|nr|home|work|office|private|primary|secondary)s?)?\d*",
    re.DOTALL,
)
_ADDRESS_KEY = re.compile(
    r"(?:shipping|billing|delivery|invoice|postal|mailing|home|work|customer|contact|street)?"
    r"(?:street|address)(?:line)?\d?"
)
_NAME_ENDINGS = (
    "firstname", "lastname", "fullname", "surname", "givenname", "familyname", "middlename",
    "nickname", "birthname", "customername", "contactname", "recipientname", "salutationname",
    "advocatename", "friendname",
)  # fmt: skip
_NAMES = {"username", "createdby", "updatedby", "modifiedby"}
_BIRTH_ENDINGS = ("birthdate", "dateofbirth", "birthday")
# Beside these, displayName and name are those of a role, a group or a rule.
_OF_A_THING = {"members", "permissions", "displaydescription"}
_NAMES_OF_A_PERSON = {"name", "display", "formatted"}
_PEOPLE = {
    "profile", "customer", "advocate", "friend", "user", "member", "customerprofile",
    "profiles", "customers", "advocates", "friends", "users", "members", "customerprofiles",
}  # fmt: skip
_THINGS = {
    "application", "campaign", "coupon", "program", "loyaltyprogram", "role", "group", "account",
    "applications", "campaigns", "coupons", "programs", "loyaltyprograms", "roles", "groups",
}  # fmt: skip
_IDS_OF_A_PERSON = {
    "integrationid", "profileid", "profileintegrationid", "customerid", "customerprofileid",
    "customerintegrationid",
}  # fmt: skip
_ANSWERS_OF_PEOPLE = ("users", "scim")  # toolsets in whose answers a name is a person's
_NO_PEOPLE = ("list_scim_schemas", "list_scim_resource_types", "get_scim_service_provider_config")
_PEOPLES_TOOLSETS = {"users", "scim", "customers"}  # where an argument `name` is a person's


def names_people(tool: Tool) -> bool:
    """Tell whether a name in the answers of an operation is a person's."""
    return tool.toolset in _ANSWERS_OF_PEOPLE and tool.name not in _NO_PEOPLE


def mask_personal(value: Any, *, people: bool = False) -> Any:
    """Return a copy with e-mail addresses, phone numbers and people's names masked.

    That is done at every depth, in values and in the keys of maps. Dates of birth and streets are
    masked under keys that announce them. Keys keep their order and lists their length; numbers stay
    but under a key that says phone. Masking twice is masking once.

    Args:
        value: a JSON value. What is nested deeper than a hundred levels is left out, saying so.
        people: whether it tells of users, so that a plain `name` is a person's.
    """
    return _masked(value, _Place(person=people, people=people))


def mask_arguments(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log keeps of a call's arguments.

    Secrets are replaced, and so are the values of HTTP headers; of a CSV, the number of lines and
    the beginning of its SHA-256 are kept; personal data is masked. Of long texts and lists the
    beginning is kept, and how long they are (a text: when masked).
    """
    said = {name: _stated(tool, name, value) for name, value in arguments.items()}
    rest = {name: None if said[name] else value for name, value in arguments.items()}
    masked = mask_personal(rest, people=tool.toolset in _PEOPLES_TOOLSETS)
    return {
        shown: said[name] or _shortened(value, name)
        for name, (shown, value) in zip(arguments, masked.items(), strict=True)
    }


def _stated(tool: Tool, name: str, value: Any) -> str | None:
    """Return what the log says instead of an argument, None where it shows the value."""
    if name in tool.secrets:
        return _SECRET
    if name == "csv" and isinstance(value, str):
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return f"[{len(value.splitlines())} lines, sha256 {digest[:12]}]"
    return None


def _shortened(value: Any, key: str) -> Any:
    if isinstance(value, str):
        if key.lower() == "headers":
            name, colon, _ = value.partition(":")
            return f"{name[:_TEXT]}: {_SECRET}" if colon else _SECRET
        return value if len(value) <= _TEXT else f"{value[:_TEXT]}... ({len(value)} characters)"
    if isinstance(value, list):
        left = len(value) - _ITEMS
        more = [f"[and {left} more]"] if left > 0 else []
        return [_shortened(item, key) for item in value[:_ITEMS]] + more
    if isinstance(value, dict):
        if key.lower() == "headers":
            return dict.fromkeys(value, _SECRET)
        return {name: _shortened(item, str(name)) for name, item in value.items()}
    return value


def _mask_text(text: str) -> str:
    """Mask what can be told from the text alone, whatever it stands under."""
    return _PHONE.sub(_mask_found_phone, _mask_emails(text))


def _mask_emails(text: str) -> str:
    return _EMAIL.sub(_mask_local, text) if "@" in text or "%40" in text else text


def _mask_local(found: re.Match[str]) -> str:
    local = found["local"]
    bare = local.lstrip("'`*")  # quotation marks and emphasis around the address, or an old mask
    quotes = local[: len(local) - len(bare)] if bare else ""
    return f"{quotes}{(bare or local)[0]}***"


def _mask_found_phone(found: re.Match[str]) -> str:
    text = found[0]
    digits = [character for character in text if character.isdigit()]
    led = text[0] in "+(" or text.startswith("00")
    if len(digits) < _FEWEST:
        return text
    if not led and (len(digits) > _MOST or not _ALSO_MARKS.search(text)):
        return text
    return f"***{digits[-2]}{digits[-1]}"


def _mask_phone(text: str) -> str:
    """Mask what stands under a key that says phone, however it is written."""
    digits = [character for character in text if character.isdigit()]
    return f"***{digits[-2]}{digits[-1]}" if len(digits) > 2 else _mask_emails(text)  # noqa: PLR2004


def _mask_name(text: str) -> str:
    return _WORD.sub(_mask_word, text)


def _mask_word(found: re.Match[str]) -> str:
    word = found[0]
    address = _mask_emails(word)
    return address if _EMAIL.search(word) else f"{word[0]}***"


def _mask_date(text: str) -> str:
    return "[date]" if text else text


def _mask_address(text: str) -> str:
    return "[address]" if text else text


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands.

    `rule` masks the texts there; `person` says that a map there tells of a person; `people` that
    every map below does, unless its key says otherwise.
    """

    rule: _Rule = _mask_text
    person: bool = False
    people: bool = False
    depth: int = 0


def _masked(value: Any, place: _Place) -> Any:
    if isinstance(value, str):
        return place.rule(value)
    if isinstance(value, (dict, list)) and place.depth > _DEPTH:
        return _TOO_DEEP
    if isinstance(value, list):
        inside = _Place(place.rule, place.person, place.people, place.depth + 1)
        return [_masked(item, inside) for item in value]
    if isinstance(value, dict):
        return _masked_map(value, place)
    if place.rule is _mask_phone and isinstance(value, int) and len(str(abs(value))) >= _FEWEST:
        return _mask_phone(str(value))
    return value


def _masked_map(holder: dict[Any, Any], place: _Place) -> dict[Any, Any]:
    beside = {_plain(key) for key in holder}
    masked: dict[Any, Any] = {}
    taken: dict[str, int] = {}
    for key, item in holder.items():
        shown = _mask_text(key) if isinstance(key, str) else key
        masked[_unlike(masked, shown, taken)] = _masked(item, _below(place, _plain(key), beside))
    return masked


def _unlike(masked: dict[Any, Any], key: Any, taken: dict[str, int]) -> Any:
    """Return `key`, numbered if an address that looks the same when masked has it already."""
    if key not in masked:
        return key
    number = taken.get(key, 1)
    while (numbered := f"{key} ({(number := number + 1)})") in masked:
        pass
    taken[key] = number
    return numbered


def _plain(key: Any) -> str:
    return _SEPARATORS.sub("", key).lower() if isinstance(key, str) else ""


def _below(place: _Place, key: str, beside: set[str]) -> _Place:
    """Return the place of what stands under `key`, among the keys `beside` it."""
    person = (place.person or "customerid" in beside) and not beside & _OF_A_THING
    rule = _rule(key, beside, person) or _handed_down(place.rule, key)
    people = place.people and key not in _THINGS
    about = (
        people
        or key in _PEOPLE
        or (key == "attributes" and (person or bool(beside & _IDS_OF_A_PERSON)))
    )
    return _Place(rule, about, people, place.depth + 1)


def _rule(key: str, beside: set[str], person: bool) -> _Rule | None:
    """Return how a key wants its texts masked, if it says."""
    if key in _NAMES or key.endswith(_NAME_ENDINGS) or (person and key in _NAMES_OF_A_PERSON):
        return _mask_name
    if key == "displayname" and not beside & _OF_A_THING:
        return _mask_name
    if key == "dob" or key.endswith(_BIRTH_ENDINGS):
        return _mask_date
    if _ADDRESS_KEY.fullmatch(key):
        return _mask_address
    return _mask_phone if _PHONE_KEY.fullmatch(key) else None


def _handed_down(rule: _Rule, key: str) -> _Rule:
    """Return the rule of a key that says nothing itself, inside a map that has a rule."""
    if rule is _mask_name or (rule is _mask_phone and key in {"number", "value"}):
        return rule
    return _mask_text
