"""Personal data in CSV is masked by the names of its columns."""

from __future__ import annotations

import pytest

from talonone_mcp.core.csv_masking import mask_csv


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("", ""),
        ("value\nSUMMER\n", "value\nSUMMER\n"),
        ("email\nanna@example.com\n", "email\na***@example.com\n"),
        ("last_name,value\nSchmidt,Schmidt\n", "last_name,value\nS***,Schmidt\n"),
        ("Phone,n\n55567088,55567088\n", "Phone,n\n***88,55567088\n"),
        ("customerid,name\n7,Anna\n", "customerid,name\n7,A***\n"),
        ('note\n"a, ""b""\nanna@example.com"\n', 'note\n"a, ""b""\na***@example.com"\n'),
        ("firstname,firstname\nAnna,Ben\n", "firstname,firstname\nA***,B***\n"),
        ("firstname\nAnna,anna@example.com\n", "firstname\nA***,a***@example.com\n"),
        ("a,firstname\n1\n2,Anna\n", "a,firstname\n1\n2,A***\n"),
        ("anna@example.com\nben@example.com", "a***@example.com\nb***@example.com\n"),
        ("\nanna@example.com\n", "\na***@example.com\n"),
        ('a\n"{""n"": 1.10, ""e"": ""é""}"\n', 'a\n"{""n"": 1.10, ""e"": ""é""}"\n'),
        ('a\n"{""firstName"": ""Anna""}"\n', 'a\n"{""firstName"": ""A***""}"\n'),
        ('a\n"[""anna@example.com"",{"\n', 'a\n"[""a***@example.com"",{"\n'),
        ("a\n" + "[" * 100_000 + "\n", "a\n" + "[" * 100_000 + "\n"),
    ],
    ids=lambda text: text[:30],
)
def test_masking(text: str, masked: str) -> None:
    assert mask_csv(text) == masked
    assert mask_csv(masked) == masked


def test_a_cell_that_is_too_long_hides_nothing() -> None:
    text = "email,note\nanna@example.com,plain\nben@example.com," + "x" * 10_000_001

    masked = mask_csv(text)

    assert "anna@" not in masked
    assert "ben@" not in masked
