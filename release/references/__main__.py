"""Renews what the documents say of the code, in place.

    python -m release.references
    python -m release.references --check

With `--check`, nothing is written: the stale pages are named, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from release.project import ROOT
from release.references.pages import stale


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Renew the pages of a checkout, or check them; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m release.references",
        description="Renew the parts of the documents that are made from the code.",
    )
    parser.add_argument("--check", action="store_true", help="name stale pages; write nothing")
    options = parser.parse_args(arguments)
    found = list(stale(root))
    for path, text in found:
        if not options.check:
            path.write_text(text, "utf-8")
        outcome = "stale; run python -m release.references" if options.check else "renewed"
        print(f"{path.relative_to(root)}: {outcome}")
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
