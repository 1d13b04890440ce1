"""A secret is taken out of a text wherever the text is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from talonone_mcp.upstream.redaction import Redaction

# Few characters, so that secrets repeat, overlap and begin alike; and some that JSON escapes.
texts = st.text(st.sampled_from('ab"é\\'), max_size=60)
secrets = st.lists(st.text(st.sampled_from('ab"é\\'), min_size=1, max_size=6), max_size=3)


@given(secrets, texts, st.lists(st.integers(0, 200), max_size=6), st.booleans())
@example(["ab", "abba"], "bbbbbabba", [7], False)
@example(["abba"], "b" * 20 + "abba" + "b" * 20, [22], False)
def test_pieces_are_redacted_as_the_whole_is(
    secrets: Sequence[str], text: str, cuts: Sequence[int], marked: bool
) -> None:
    redaction = Redaction(secrets)
    content = text.encode("utf-8-sig" if marked else "utf-8")
    borders = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    stream = redaction.stream()
    pieces = [stream.feed(content[a:b]) for a, b in pairwise(borders)]

    assert b"".join([*pieces, stream.end()]).decode() == redaction.text(text)


@given(st.text(min_size=8))
def test_a_secret_is_found_in_json_within_json(secret: str) -> None:
    redaction = Redaction([secret])
    for ascii_only in (True, False):
        inner = json.dumps({"name": secret}, ensure_ascii=ascii_only)
        outer = json.dumps({"message": inner}, ensure_ascii=ascii_only)

        assert redaction.text(inner) == '{"name": "[secret]"}'
        assert redaction.text(outer) == json.dumps({"message": '{"name": "[secret]"}'})
