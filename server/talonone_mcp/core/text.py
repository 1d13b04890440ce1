"""Make text from outside safe to show to a model, to a person who decides, or in a log.

Customers and colleagues write names, descriptions and attributes. Hidden characters can carry
instructions to a model, and bidirectional ones can make a question appear to say something else.
"""

import re
import unicodedata

# Control characters except tab and line feed; soft hyphen, invisible joiners and fillers;
# bidirectional marks; line separators; layout controls; a musical blank; variation
# selectors; tag characters; surrogates. Visible format characters, such as U+0600, stay.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
_SPACE = re.compile("[\\s\u2800]+")  # and the blank of Braille


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


# --- What somebody else wrote, in quotation marks -----------------------------------------------

_QUOTATION_MARKS = (
    '"\u00ab\u00bb\u02ba\u02dd\u02ee\u02f5\u02f6\u05f4\u1cd3\u201c\u201d\u201e\u201f\u2033\u2034'
    "\u2036\u2037\u2057\u275d\u275e\u2760\u2e42\u3003\u301d\u301e\u301f\uff02"
    "\U0001f676\U0001f677\U0001f678"
)
_APOSTROPHES = (  # two in a row look like a quotation mark
    "'`\u00b4\u02b9\u02bb-\u02bf\u02c8\u02ca\u02cb\u02f4\u0374\u0384\u055a\u05f3\u07f4\u07f5\u144a\u16cc"
    "\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u2018-\u201b\u2032\u2035\u275b\u275c\u275f\ua78b\ua78c\uff07\uff40"
    "\U00016f51\U00016f52"
)
_MARKDOWN = "*~[]|$<\\"
_WIDE = 0xFEE0  # from an ASCII character to its fullwidth form
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys(_QUOTATION_MARKS + "`", "'"),
        **{sign: chr(ord(sign) + _WIDE) for sign in _MARKDOWN},
    }
)
_APOSTROPHES_IN_A_ROW = re.compile(f"[{_APOSTROPHES}]{{2,}}")
_FULLWIDTH = {ord(sign): ord(sign) + _WIDE for sign in "_&:."}
_ACTIVE = re.compile(
    r"(?<!\w)_+|_+(?!\w)"  # emphasis; between letters an underscore is one
    r"|&(?=[#\w])"  # an HTML entity, such as &quot;
    r"|:(?=//)|(?:(?<=mailto)|(?<=xmpp)):|(?<=www)\.",  # a link that needs no brackets
    re.IGNORECASE,
)
_MAX_MARKS = 4  # combining marks on one letter
_OVERLAY = 1  # the combining class of marks that strike a letter through
_RIGHT_TO_LEFT = ("R", "AL", "AN")


def quoted(value: object, limit: int = 80) -> str:
    r"""Return a value that somebody else wrote, in quotation marks that nothing in it can close.

    A text of more than `limit` characters shows its beginning, its length and its end, as
    `"beginning" (cut, 500 characters) "end"`. Invisible characters go, white space becomes one
    space, and what could look like the end of the quotation, or be Markdown, becomes a harmless
    look-alike:

    - quotation marks of any kind, a backtick, and several apostrophes in a row: one apostrophe
    - `* ~ [ ] | $ < \`: their fullwidth forms
    - `_` except between letters or digits, `&` before a letter, a digit or `#`, `:` before `//`
      and after "mailto" or "xmpp", `.` after "www": their fullwidth forms
    - combining marks that strike through, enclose, or have no letter below: nothing

    Text that runs from right to left is followed by words of ours, because a number or a
    quotation next to it would be drawn on its other side.
    """
    text = str(value)
    around = 4 * limit  # cleaning more would be wasted work
    line = _line(text[:around])
    if len(text) <= around and len(line) <= limit:
        return _in_marks(line)
    last = max(limit // 3, 1)
    begins, ends = line[: limit - last], _line(_line(text[-around:])[-last:])
    return f'"{_inert(begins)}" (cut, {len(text):,} characters) {_in_marks(ends)}'


def _line(text: str) -> str:
    return _SPACE.sub(" ", _without_loose_marks(_INVISIBLE.sub("", text))).strip()


def _in_marks(line: str) -> str:
    turned = any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in line)
    return f'"{_inert(line)}"' + (" (right to left)" if turned else "")


def _inert(line: str) -> str:
    plain = line.translate(_LOOK_ALIKES)
    plain = _APOSTROPHES_IN_A_ROW.sub("'", plain)
    return _ACTIVE.sub(lambda found: found[0].translate(_FULLWIDTH), plain)


def _without_loose_marks(line: str) -> str:
    """Return a line without combining marks that could change how our own words look."""
    kept: list[str] = []
    marks = _MAX_MARKS  # so that none begins the line, where it would change the quotation mark
    for letter in line:
        category = unicodedata.category(letter)
        if category[0] != "M":
            kept.append(letter)
            marks = 0 if letter.isalnum() else _MAX_MARKS
        elif marks < _MAX_MARKS and category != "Me" and unicodedata.combining(letter) != _OVERLAY:
            kept.append(letter)
            marks += 1
    return "".join(kept)
