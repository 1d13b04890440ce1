"""Find secrets in text: in addresses, headers, payloads and logs, whole or cut off.

All patterns run in linear time: repetitions are possessive or bounded.
"""

from __future__ import annotations

import re

from talonone_mcp.core.secret_names import is_secret_name

HIDDEN = "[hidden]"

# Without one of these, a text holds nothing that is recognized.
_HINT = re.compile(
    r"token|secret|pass|pwd|key|author|credential|bearer|basic|cookie|jwt|eyj|://|:\\/|sig|auth"
    r"|_live_|_test_|gh[a-z]_|xox|akia",
    re.IGNORECASE,
)
_NAME = r"[A-Za-z_][\w.\-]{0,60}+"
_PLACEHOLDER = re.compile(r"\$\{[^{}]{0,100}\}|\{\{[^{}]{0,100}\}\}")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
# JSON Web Tokens, and what known issuers' keys begin with.
_KNOWN_FORM = re.compile(
    r"\b(?:eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?|[spr]k_(?:live|test)_\w{10,}+"
    r"|gh[pousr]_\w{20,}+|github_pat_\w{20,}+|xox[a-z]-[\w-]{10,}+|AKIA[A-Z0-9]{16})"
)
_USER_OF_URL = re.compile(r"(:\\?/\\?/)(?:[^\s/?#@\"'<>\\]{1,300}+@)+")
# The addresses of these services are their own passwords.
_SECRET_ADDRESS = re.compile(
    r"(https?:\\?/\\?/(?:hooks\.(?:slack|zapier)\.com|discord(?:app)?\.com\\?/api\\?/webhooks"
    r"|[\w.-]{1,100}\.office\.com|hook\.[\w.]{1,30}make\.com|maker\.ifttt\.com)\\?/)[^\s\"'<>\\]++",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    r"\b(Bearer|Basic|Token|ApiKey-v1|ManagementKey-v1)(\s{1,3})([\w.~+/=\-]{8,}+)", re.IGNORECASE
)
_EQUATION = re.compile(rf"(?<![\w.\-])({_NAME})=([^&#\s\"'<>\\;,]++)")
_SIGNATURES = {"sig", "signature", "x-amz-signature", "x-amz-credential", "x-goog-signature"}
_FUNCTIONS_HOST = ".azurewebsites.net"  # where `code` is a key, and no coupon
_MIN_KEY_CHARS = 16  # of `key=` in an address
_QUOTED = tuple(
    re.compile(
        rf"{quote}({_NAME}){quote}(\s{{0,5}}:\s{{0,5}}{quote})((?:[^{quote}\\]|\\.)++)", re.S
    )
    for quote in "\"'"
)
_NUMBER = re.compile(rf"\"({_NAME})\"(\s{{0,5}}:\s{{0,5}})(\d++)")
_ESCAPED = re.compile(rf"\\+\"({_NAME})\\+\"(\s{{0,5}}:\s{{0,5}}\\+\")([^\"\\]++)")
_HEADER = re.compile(
    r"(?<![\w\-])([\w\-]{0,40}(?:authori[sz]ation|cookie|token|secret|password|passwd|pwd"
    r"|passphrase|key|credentials?))([ \t]{0,2}:[ \t]{0,5})([^\r\n\"'\\]++)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(rf"(<({_NAME})(?:\s[^<>]{{0,500}}+)?>)([^<>]++)(?=</)")
_MIN_OPAQUE_CHARS = 6


def is_placeholder(text: str) -> bool:
    """Return whether a text is only a template's placeholder, such as `${token}`."""
    return bool(_PLACEHOLDER.fullmatch(text))


def hide_in_text(text: str) -> str:
    """Return text with the secrets that its form tells replaced by `HIDDEN`."""
    if not _HINT.search(text):
        return text
    text = _KNOWN_FORM.sub(HIDDEN, _PRIVATE_KEY.sub(HIDDEN, text))
    text = _SECRET_ADDRESS.sub(rf"\1{HIDDEN}", _USER_OF_URL.sub(rf"\1{HIDDEN}@", text))
    for quoted in _QUOTED:
        text = quoted.sub(_without_value, text)
    text = _ESCAPED.sub(_without_value, text)
    text = _NUMBER.sub(_without_number, text)
    text = _HEADER.sub(_without_line, text)
    text = _ELEMENT.sub(_without_content, text)
    text = _EQUATION.sub(_without_parameter, text)
    return _SCHEME.sub(_without_credentials, text)


def _without_value(match: re.Match[str]) -> str:
    name, value = match[1], match[3]
    if not is_secret_name(name) or is_placeholder(value):
        return match[0]
    return match[0][: -len(value)] + HIDDEN


def _without_number(match: re.Match[str]) -> str:
    name, between = match[1], match[2]
    is_count = name.lower().endswith("s")
    return f'"{name}"{between}"{HIDDEN}"' if is_secret_name(name) and not is_count else match[0]


def _without_line(match: re.Match[str]) -> str:
    """Hide the rest of a header's line; of prose such as "password: hunter2", the one word."""
    name, between, rest = match.groups()
    if not is_secret_name(name):
        return match[0]
    if "-" in name or name.lower() in {"authorization", "cookie"}:
        return match[0] if is_placeholder(rest) else f"{name}{between}{HIDDEN}"
    word, space, after = rest.partition(" ")
    return f"{name}{between}{HIDDEN}{space}{after}" if _is_opaque(word) else match[0]


def _without_content(match: re.Match[str]) -> str:
    hides = is_secret_name(match[2].rpartition(":")[2]) and not is_placeholder(match[3])
    return f"{match[1]}{HIDDEN}" if hides else match[0]


def _without_parameter(match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    in_address = match.start() > 0 and match.string[match.start() - 1] in "?&;"
    hides = is_secret_name(name) or (
        in_address
        and (
            name.lower() in _SIGNATURES
            or (name == "key" and len(value) >= _MIN_KEY_CHARS)
            or (name == "code" and _FUNCTIONS_HOST in match.string)
        )
    )
    return f"{name}={HIDDEN}" if hides and not is_placeholder(value) else match[0]


def _without_credentials(match: re.Match[str]) -> str:
    scheme, space, value = match.groups()
    hides = _is_opaque(value) or "-" in scheme
    return f"{scheme}{space}{HIDDEN}" if hides else match[0]


def _is_opaque(word: str) -> bool:
    """Return whether this is no word of a language: it has digits or signs, or mixed case."""
    word = word.rstrip(".,;:!?)")
    if len(word) < _MIN_OPAQUE_CHARS or word == HIDDEN:
        return False
    return any(sign.isdigit() or sign in "=+/_$%" for sign in word) or not (
        word.islower() or word.isupper() or word.istitle()
    )
