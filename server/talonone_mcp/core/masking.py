"""Mask personal data and secrets for readers who do not need them.

Answers are masked if the operator asks for it; arguments in the audit log, always. A mask leaves
enough to tell two people apart but not enough to contact them. Codes, ids and dates look much like
phone numbers, so a number in text is masked only if written the way people write phone numbers.
Under a key that says phone, every number is masked.

All patterns run in linear time: repetitions are possessive or bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from talonone_mcp.core.catalog.model import Tool

_Mask = Callable[[str], str]

_SECRET = "[secret]"  # noqa: S105 - a placeholder
_MAX_DEPTH = 100  # nested levels, as in the shaping of answers
_TOO_DEEP = "(nested too deeply to show)"
_MAX_TEXT_CHARS = 200  # of one text in the audit log
_MAX_ITEMS = 20  # of one list in the audit log

# Everything up to an @ or its URL encoding, %40. The domain needs a dot and a top level of two
# letters of any script, hence the class of characters that are neither ASCII nor punctuation.
_IN_LOCAL = r"[^\s@<>()\[\]{},;:\"|\\/=?&]"
_BEYOND_ASCII = r"[^\s\x00-\x7f\u2000-\u206f\u3000-\u303f\uff0e\uff61]"
_EMAIL = re.compile(
    rf"(?:(?<!{_IN_LOCAL})|(?<=%40))(?P<local>(?:(?!%40){_IN_LOCAL})++)"
    rf"(?=(?:@|%40)(?:(?:[a-zA-Z0-9-]|{_BEYOND_ASCII})++[.\u3002\uff0e\uff61])+"
    rf"(?:[a-zA-Z]|{_BEYOND_ASCII}){{2}})"
)

# Four notations of a phone number: international, area code in parentheses, leading zero, and short
# groups. The less distinctive the notation, the more look-alikes the pattern excludes.
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
_PHONE_SEPARATORS = re.compile(r"[\s./]")  # a number with only dashes may be a code
# Digits in a phone number. More, without a prefix such as +, are several numbers.
_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 7, 15

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
_NAME_KEYS = {"username", "createdby", "updatedby", "modifiedby"}
_BIRTH_ENDINGS = ("birthdate", "dateofbirth", "birthday")
# Beside these keys, displayName and name belong to a role, a group or a rule.
_THING_MARKERS = {"members", "permissions", "displaydescription"}
_PERSON_NAME_KEYS = {"name", "display", "formatted"}
_PEOPLE = {
    "profile", "customer", "advocate", "friend", "user", "member", "customerprofile",
    "profiles", "customers", "advocates", "friends", "users", "members", "customerprofiles",
}  # fmt: skip
_THINGS = {
    "application", "campaign", "coupon", "program", "loyaltyprogram", "role", "group", "account",
    "applications", "campaigns", "coupons", "programs", "loyaltyprograms", "roles", "groups",
}  # fmt: skip
_PERSON_ID_KEYS = {
    "integrationid", "profileid", "profileintegrationid", "customerid", "customerprofileid",
    "customerintegrationid",
}  # fmt: skip
_PEOPLE_ANSWERS = ("users", "scim")  # toolsets in whose answers a name is a person's
_NO_PEOPLE = ("list_scim_schemas", "list_scim_resource_types", "get_scim_service_provider_config")
_PEOPLE_ARGUMENTS = {"users", "scim", "customers"}  # toolsets whose `name` is a person's


def names_people(tool: Tool) -> bool:
    """Return whether a plain `name` in a tool's answers is a person's."""
    return tool.toolset in _PEOPLE_ANSWERS and tool.name not in _NO_PEOPLE


def mask_personal(value: Any, *, people: bool = False) -> Any:
    """Return a copy with e-mail addresses, phone numbers and people's names masked.

    Values and keys are masked at every depth; dates of birth and streets, under keys that say so.
    Keys keep their order and lists their length. Numbers stay, except under a key that says phone.
    Masking is idempotent.

    Args:
        value: a JSON value. Below 100 levels, a placeholder replaces the content.
        people: whether it is about users, so that a plain `name` is a person's.
    """
    return _masked(value, _Place(person=people, people=people))


def mask_arguments(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments as the audit log keeps them.

    Secrets and the values of HTTP headers are replaced. A CSV becomes its number of lines and the
    start of its SHA-256. Personal data is masked. Long texts and lists are cut, with a note of
    their length (of a text: after masking).
    """
    stand_ins = {name: _stand_in(tool, name, value) for name, value in arguments.items()}
    others = {name: None if stand_ins[name] else value for name, value in arguments.items()}
    masked = mask_personal(others, people=tool.toolset in _PEOPLE_ARGUMENTS)
    return {
        masked_name: stand_ins[name] or _shortened(value, name)
        for name, (masked_name, value) in zip(arguments, masked.items(), strict=True)
    }


def _stand_in(tool: Tool, name: str, value: Any) -> str | None:
    """Return what the log shows instead of an argument, or None if it shows the value."""
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
            return f"{name[:_MAX_TEXT_CHARS]}: {_SECRET}" if colon else _SECRET
        cut = f"{value[:_MAX_TEXT_CHARS]}... ({len(value)} characters)"
        return value if len(value) <= _MAX_TEXT_CHARS else cut
    if isinstance(value, list):
        left_out = len(value) - _MAX_ITEMS
        note = [f"[and {left_out} more]"] if left_out > 0 else []
        return [_shortened(item, key) for item in value[:_MAX_ITEMS]] + note
    if isinstance(value, dict):
        if key.lower() == "headers":
            return dict.fromkeys(value, _SECRET)
        return {name: _shortened(item, str(name)) for name, item in value.items()}
    return value


def _mask_text(text: str) -> str:
    """Mask what is recognizable from the text alone, under any key."""
    return _PHONE.sub(_mask_phone_match, _mask_emails(text))


def _mask_emails(text: str) -> str:
    return _EMAIL.sub(_mask_local, text) if "@" in text or "%40" in text else text


def _mask_local(match: re.Match[str]) -> str:
    local = match["local"]
    bare = local.lstrip("'`*")  # quotation marks and emphasis around the address, or an old mask
    quotes = local[: len(local) - len(bare)] if bare else ""
    return f"{quotes}{(bare or local)[0]}***"


def _mask_phone_match(match: re.Match[str]) -> str:
    text = match[0]
    digits = [character for character in text if character.isdigit()]
    prefixed = text[0] in "+(" or text.startswith("00")
    if len(digits) < _MIN_PHONE_DIGITS:
        return text
    if not prefixed and (len(digits) > _MAX_PHONE_DIGITS or not _PHONE_SEPARATORS.search(text)):
        return text
    return f"***{digits[-2]}{digits[-1]}"


def _mask_phone(text: str) -> str:
    """Mask a text under a key that says phone, in any notation."""
    digits = [character for character in text if character.isdigit()]
    return f"***{digits[-2]}{digits[-1]}" if len(digits) > 2 else _mask_emails(text)  # noqa: PLR2004


def _mask_name(text: str) -> str:
    return _WORD.sub(_mask_word, text)


def _mask_word(match: re.Match[str]) -> str:
    word = match[0]
    address = _mask_emails(word)
    return address if _EMAIL.search(word) else f"{word[0]}***"


def _mask_date(text: str) -> str:
    return "[date]" if text else text


def _mask_address(text: str) -> str:
    return "[address]" if text else text


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is.

    Attributes:
        mask: masks texts here.
        person: whether a map here describes a person.
        people: whether every map below does, unless its key says otherwise.
        depth: the number of levels above.
    """

    mask: _Mask = _mask_text
    person: bool = False
    people: bool = False
    depth: int = 0


def _masked(value: Any, place: _Place) -> Any:
    if isinstance(value, str):
        return place.mask(value)
    if isinstance(value, (dict, list)) and place.depth > _MAX_DEPTH:
        return _TOO_DEEP
    if isinstance(value, list):
        inside = _Place(place.mask, place.person, place.people, place.depth + 1)
        return [_masked(item, inside) for item in value]
    if isinstance(value, dict):
        return _masked_map(value, place)
    if place.mask is _mask_phone and isinstance(value, int):
        return _mask_phone(str(value)) if len(str(abs(value))) >= _MIN_PHONE_DIGITS else value
    return value


def _masked_map(holder: dict[Any, Any], place: _Place) -> dict[Any, Any]:
    beside = {_plain(key) for key in holder}
    masked: dict[Any, Any] = {}
    numbers: dict[str, int] = {}
    for key, item in holder.items():
        masked_key = _mask_text(key) if isinstance(key, str) else key
        masked[_unique(masked, masked_key, numbers)] = _masked(
            item, _below(place, _plain(key), beside)
        )
    return masked


def _unique(masked: dict[Any, Any], key: Any, numbers: dict[str, int]) -> Any:
    """Return `key`, numbered if another key has the same mask; update the last number used."""
    if key not in masked:
        return key
    number = numbers.get(key, 1)
    while (numbered := f"{key} ({(number := number + 1)})") in masked:
        pass
    numbers[key] = number
    return numbered


def _plain(key: Any) -> str:
    return _SEPARATORS.sub("", key).lower() if isinstance(key, str) else ""


def _below(place: _Place, key: str, beside: set[str]) -> _Place:
    """Return the place of the value under `key`, given all keys of its map in `beside`."""
    person = (place.person or "customerid" in beside) and not beside & _THING_MARKERS
    mask = _mask_of(key, beside, person) or _inherited(place.mask, key)
    people = place.people and key not in _THINGS
    below_is_person = (
        people
        or key in _PEOPLE
        or (key == "attributes" and (person or bool(beside & _PERSON_ID_KEYS)))
    )
    return _Place(mask, below_is_person, people, place.depth + 1)


def _mask_of(key: str, beside: set[str], person: bool) -> _Mask | None:
    """Return the mask that a key calls for, if any."""
    if key in _NAME_KEYS or key.endswith(_NAME_ENDINGS) or (person and key in _PERSON_NAME_KEYS):
        return _mask_name
    if key == "displayname" and not beside & _THING_MARKERS:
        return _mask_name
    if key == "dob" or key.endswith(_BIRTH_ENDINGS):
        return _mask_date
    if _ADDRESS_KEY.fullmatch(key):
        return _mask_address
    return _mask_phone if _PHONE_KEY.fullmatch(key) else None


def _inherited(mask: _Mask, key: str) -> _Mask:
    """Return the mask for a key that calls for none, given the mask of its map."""
    if mask is _mask_name or (mask is _mask_phone and key in {"number", "value"}):
        return mask
    return _mask_text
