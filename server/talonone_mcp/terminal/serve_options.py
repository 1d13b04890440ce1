"""Options that several commands share: those of `serve`, and those that choose the account."""

from __future__ import annotations

import argparse

ACCOUNT_OPTIONS = ("config", "sandbox", "read_only", "mask_pii")  # as settings are called


def add_account_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the account, read-only mode and masking.

    What a person must confirm is not among them: an agent that makes a call could turn it off.
    """
    parser.add_argument(
        "--config", metavar="FILE", help="use this configuration file instead of the user's own"
    )
    parser.add_argument(
        "--sandbox",
        action="store_true",
        default=None,
        help="use an embedded Talon.One; no account needed",
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        default=None,
        help="refuse everything but reads",
    )
    parser.add_argument(
        "--mask-pii",
        action="store_true",
        default=None,
        help="mask e-mail addresses, phone numbers and people's names in answers",
    )


def add_serve_options(serve: argparse.ArgumentParser) -> None:
    """Add the options of `serve`, also to commands that examine what it would do."""
    add_account_options(serve)
    _add_transport(serve)
    _add_surface(serve)
    serve.add_argument(
        "--confirm",
        choices=["ask", "approve", "block", "off"],
        help="what happens to a call that a person must confirm: ask them (default), refuse it"
        " until it is approved outside the conversation, always refuse it, or let it pass",
    )


def _add_transport(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--transport", choices=["stdio", "http"], help="default: stdio")
    serve.add_argument("--host", help="for http; default: 127.0.0.1, this machine only")
    serve.add_argument("--port", type=int, help="for http; default: 8000; 0 picks a free port")


def _add_surface(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--profile",
        metavar="JOB",
        help="list the tools of one job: support, marketing, loyalty, engineer or admin",
    )
    serve.add_argument(
        "--toolsets",
        type=_names,
        metavar="NAME,...",
        help="list every tool of these groups; all lists everything",
    )
    serve.add_argument("--tools", type=_names, metavar="NAME,...", help="list these operations")
    serve.add_argument(
        "--prompts",
        metavar="DIR",
        help="also offer the prompts in this folder; they override built-in ones",
    )
    serve.add_argument(
        "--output-schemas",
        action="store_true",
        default=None,
        help="also list the schemas of answers, for hosts that call tools from code",
    )


def _names(text: str) -> tuple[str, ...]:
    """Split a list of names at its commas."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("give at least one name")
    return names
