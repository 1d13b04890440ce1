"""`talonone-mcp sandbox`: serve the embedded Talon.One over HTTP."""

from __future__ import annotations

import argparse
import gc
import sys
from functools import partial
from pathlib import Path

import anyio

from talonone_mcp.core import catalog
from talonone_mcp.core.asgi import serve
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.documents.document_store import DocumentStoreError
from talonone_mcp.sandbox.ground.account_facts import SHOP, SHOP_US, USER_EMAIL, USER_PASSWORD
from talonone_mcp.terminal.streams import USAGE, say

_WELCOME = """\
A Talon.One sandbox is at {url}, for all four APIs. Its keys open nothing else.

  Management API        Authorization: ManagementKey-v1 {key}
                        or log in as {email} with the password {password}
  Integration API       Authorization: ApiKey-v1 {key}     (Application {shop})
                        Authorization: ApiKey-v1 {key}-{shop_us}  (Application {shop_us})
  Third-party API       Authorization: ApiKey-v1 {key}
  Capillary             Authorization: Bearer {key}

An MCP server that uses it:
  TALONONE_BASE_URL={url} TALONONE_MANAGEMENT_KEY={key} \\
  TALONONE_INTEGRATION_KEY={key} talonone-mcp serve

{kept} Ctrl-C ends it.
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    sandbox = commands.add_parser("sandbox", help="serve the embedded Talon.One over HTTP")
    sandbox.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    sandbox.add_argument(
        "--port", type=_port, default=8080, help="default: 8080; 0 picks a free port"
    )
    sandbox.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="keep the account in this file, and continue with it at the next start",
    )
    sandbox.add_argument("--seed", type=int, help="seed of the random demo account; default: 1")
    sandbox.add_argument(
        "--scale",
        type=_scale,
        metavar="N",
        help="multiply the demo account's 50 customers, and all that is theirs, by N",
    )
    sandbox.add_argument(
        "--no-limits",
        action="store_true",
        help="allow more than 3 requests a second to one endpoint",
    )
    sandbox.set_defaults(run=_run)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:  # noqa: PLR2004 - the highest there is
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _scale(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 20_000:  # noqa: PLR2004 - a million customers
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 20000")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    account_options = {"seed": options.seed, "scale": options.scale}
    account_options = {
        name: number for name, number in account_options.items() if number is not None
    }
    if account_options and options.data and options.data.exists():
        named = " and ".join(f"--{name}" for name in account_options)
        return say(
            f"{options.data} already holds an account; {named} only applies to a new one", USAGE
        )
    if account_options.get("scale", 1) > 1:
        say("filling the account; a scale of 2000 takes a minute or two")
    try:
        sandbox = Sandbox(
            catalog.load(), data=options.data, limited=not options.no_limits, **account_options
        )
    except DocumentStoreError as error:
        return say(str(error), USAGE)
    # The catalog stays for good: keep the garbage collector from scanning it again and again.
    gc.collect()
    gc.freeze()
    try:
        run = partial(serve, announce=partial(_welcome, options.data), lifespan=False)
        anyio.run(run, sandbox, options.host, options.port)
    except OSError as error:
        reason = error.strerror or str(error)
        return say(f"cannot serve on {options.host}:{options.port}: {reason}", USAGE)
    finally:
        sandbox.close()
    return 0


def _welcome(data: Path | None, url: str) -> None:
    text = _WELCOME.format(
        url=url,
        key=SANDBOX_KEY,
        email=USER_EMAIL,
        password=USER_PASSWORD,
        shop=SHOP,
        shop_us=SHOP_US,
        kept=f"The account is kept in {data}." if data else "Nothing is kept.",
    )
    sys.stdout.write(text)
    sys.stdout.flush()
