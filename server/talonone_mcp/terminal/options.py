"""What commands can be told on the command line, where several take the same."""

from __future__ import annotations

import argparse

ACCOUNT_OPTIONS = ("config", "sandbox", "read_only", "mask_pii")  # as settings are called


def add_account_options(parser: argparse.ArgumentParser) -> None:
    """Add which account calls go to, and whether they only read and show people as they are.

    What a person must confirm is no option of a single call: whoever makes it could wave it away.
    """
    parser.add_argument(
        "--config", metavar="FILE", help="the configuration file, in place of the user's own"
    )
    parser.add_argument(
        "--sandbox", action="store_true", default=None, help="no account: an embedded Talon.One"
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        default=None,
        help="allow nothing but reading, listed or not",
    )
    parser.add_argument(
        "--mask-pii",
        action="store_true",
        default=None,
        help="mask e-mail addresses, phone numbers and people's names in answers",
    )


def add_serve_options(serve: argparse.ArgumentParser) -> None:
    """Add what `serve` can be told, also to a command that looks at what it would do."""
    add_account_options(serve)
    serve.add_argument("--transport", choices=["stdio", "http"], help="stdio unless said")
    serve.add_argument("--host", help="for http: 127.0.0.1 unless said; this machine only")
    serve.add_argument("--port", type=int, help="for http: 8000 unless said, 0 for a free one")
    serve.add_argument(
        "--profile",
        metavar="JOB",
        help="list the tools of one job: support, marketing, loyalty, engineer or admin",
    )
    serve.add_argument(
        "--toolsets",
        type=_names,
        metavar="NAME,...",
        help="list every tool of these groups; all lists all there are",
    )
    serve.add_argument("--tools", type=_names, metavar="NAME,...", help="list these operations")
    serve.add_argument(
        "--prompts", metavar="DIR", help="offer the prompts in this folder too, before ours"
    )
    serve.add_argument(
        "--output-schemas",
        action="store_true",
        default=None,
        help="list what answers look like too, for hosts that call tools from code",
    )
    serve.add_argument(
        "--confirm",
        choices=["ask", "approve", "block", "off"],
        help="what happens to a call that a person must confirm: ask them (unless said), refuse it"
        " until approved outside the conversation, always refuse it, or let it pass",
    )


def _names(text: str) -> tuple[str, ...]:
    """Read a list of names."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("give at least one name")
    return names
