"""Make text from outside safe to show to a model, to a person who decides, or in a log.

Customers and colleagues write names, descriptions and attributes. Hidden characters can carry
instructions to a model, and bidirectional ones can make a question appear to say something else.
"""

import re

# Control characters except tab and line feed; soft hyphen, invisible joiners and fillers;
# bidirectional marks; line separators; layout controls; variation selectors; tag characters;
# surrogates. Visible format characters, such as U+0600, stay.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return `text` without invisible characters."""
    return _INVISIBLE.sub("", text)


def one_line(text: str, limit: int, *, of: int | None = None) -> str:
    """Return `text` cleaned, on one line, and cut after `limit` characters with a note.

    Args:
        text: the text, or its beginning.
        limit: how many characters to show.
        of: the full length in characters, if `text` is only the beginning.
    """
    length = len(text) if of is None else of
    beginning = text[: 2 * limit]  # cleaning more would be wasted work
    line = _SPACE.sub(" ", clean(beginning)).strip()
    if len(line) <= limit and len(beginning) == length:
        return line
    return f"{line[:limit]}... ({length} characters)"


def quoted(value: object, limit: int = 80) -> str:
    """Return a value that somebody else wrote, in quotation marks that nothing in it can close."""
    return f'"{one_line(str(value).replace(chr(34), chr(39)), limit)}"'
