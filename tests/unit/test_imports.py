"""An import's columns are checked, its file is copied, and its content is what is confirmed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, types

from talonone_mcp.core.catalog import Catalog, load
from talonone_mcp.core.settings import Settings, SettingsError, load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from tests.contract.facts import csv_example
from tests.unit.test_gate import YES, connected
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
IMPORTS = [o for o in load() if o.body and o.body.columns]
COUPONS = {"applicationId": 42, "campaignId": 18}
CODES = "value\nFROM-A-FILE\n"


def settings_for(
    upstream: Upstream, folder: Path | None, confirm: str = "off", **flags: Any
) -> Settings:
    environment = upstream.environment
    if folder:
        environment = environment | {"TALONONE_IMPORT_DIR": str(folder)}
    return load_settings({"confirm": confirm} | flags, environment)


async def refusal(catalog: Catalog, settings: Settings, **arguments: Any) -> dict[str, Any]:
    async with Client(build_server(settings, catalog)) as client:
        result = await client.call_tool("import_coupons", COUPONS | arguments)
    assert result.is_error
    error: dict[str, Any] = result.structured_content["error"]
    return error


def test_there_is_every_import() -> None:
    assert len(IMPORTS) == 13


@pytest.mark.parametrize("operation", IMPORTS, ids=lambda operation: operation.name)
async def test_columns(catalog: Catalog, upstream: Upstream, operation: Any) -> None:
    """Each column is taken as documented; a missing, unknown or misspelt one is refused."""
    header, row, _ = csv_example(operation).split("\n")
    names = header.split(",")
    needed = {*operation.body.columns.one_of[:1], *operation.body.columns.required}
    arguments: dict[str, Any] = dict.fromkeys(operation.path_arguments, 1)
    async with Client(build_server(settings_for(upstream, None), catalog)) as client:

        async def said(text: str) -> str:
            upstream.requests.clear()
            result = await client.call_tool(operation.name, arguments | {"csv": text})
            error = result.structured_content["error"]
            assert (error["kind"], upstream.requests) == ("invalid_arguments", [])
            return " ".join(detail["problem"] for detail in error["details"])

        for name in needed:
            without = ",".join(each for each in names if each != name)
            assert name in await said(f"{without}\n")
        for name in names:
            misspelt = [f"{each}s" if each == name else each for each in names]
            assert f"did you mean {name}?" in await said(",".join(misspelt) + "\n")
        everything = await said(f"{header},zzz\n{row},x\n")
        assert "'zzz' is unknown" in everything
        assert all(name in everything for name in names)
        assert "twice" in await said(f"{header},{names[0]}\n")
        assert "missing" in await said("") or operation.body.columns.one_of


async def test_one_of_two_columns(catalog: Catalog, upstream: Upstream) -> None:
    arguments = {"loyaltyProgramId": 1, "csv": "customerprofileid,identifier,amount\na,b,1\n"}
    async with Client(build_server(settings_for(upstream, None), catalog)) as client:
        result = await client.call_tool("import_loyalty_points", arguments)

    [detail] = result.structured_content["error"]["details"]
    assert "exactly one of the columns customerprofileid, identifier" in detail["problem"]


async def test_quotes_a_byte_order_mark_and_line_ends_are_read(
    catalog: Catalog, upstream: Upstream
) -> None:
    async with Client(build_server(settings_for(upstream, None), catalog)) as client:
        for text in ('\ufeff"value","startdate"\r\nCODE1,\r\n', "startdate,value\n,CODE2"):
            result = await client.call_tool("import_coupons", COUPONS | {"csv": text})
            assert not result.is_error, result.structured_content


async def test_too_many_rows(catalog: Catalog, upstream: Upstream) -> None:
    """Blank lines are no rows, and a row may span lines."""
    rows = '"two\nlines"\n\n' * 500_000
    async with Client(build_server(settings_for(upstream, None), catalog)) as client:
        for more, said in (("", []), ("one\n", ["has 500,001 rows"])):
            arguments = {"collectionId": 1, "csv": f"item\n{rows}{more}"}
            result = await client.call_tool("import_account_collection", arguments)
            details = result.structured_content["error"].get("details", [])
            problems = [detail["problem"].partition(";")[0] for detail in details]
            assert [problem for problem in problems if "rows" in problem] == said


async def test_exactly_one_of_text_and_file(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    settings = settings_for(upstream, tmp_path)
    for arguments in ({}, {"csv": CODES, "csvPath": "codes.csv"}):
        error = await refusal(catalog, settings, **arguments)
        assert [d["problem"] for d in error["details"]] == [
            "give the CSV either as csv or as csvPath"
        ]


async def test_a_file_is_sent(catalog: Catalog, upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "spring").mkdir()
    (tmp_path / "spring" / "codes.csv").write_bytes(b"\xef\xbb\xbf" + CODES.encode())
    for name in ("spring/codes.csv", str(tmp_path / "spring" / "codes.csv")):
        upstream.requests.clear()
        async with Client(build_server(settings_for(upstream, tmp_path), catalog)) as client:
            await client.call_tool("import_coupons", COUPONS | {"csvPath": name})
        assert CODES.encode() in upstream.requests[-1].body
        assert b"\xef\xbb\xbf" not in upstream.requests[-1].body


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../outside.csv", "in the import folder"),
        ("link.csv", "in the import folder"),
        ("/etc/hostname", "in the import folder"),
        ("missing.csv", "is not a file"),
        (".", "is not a file"),
        ("latin.csv", "is not UTF-8 text"),
        ("cut.csv", "is not UTF-8 text"),
        ("huge.csv", "has more than"),
        ("a\x00b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ],
)
async def test_a_file_that_cannot_be_used(
    catalog: Catalog, upstream: Upstream, tmp_path: Path, name: str, problem: str
) -> None:
    folder = tmp_path / "imports"
    folder.mkdir()
    (tmp_path / "outside.csv").write_text(CODES)
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "latin.csv").write_bytes(b"value\nM\xfcnchen\n")
    (folder / "cut.csv").write_bytes(b"value\nM\xc3")
    with (folder / "huge.csv").open("wb") as file:
        file.truncate(10**9 + 1)  # a hole: nothing is written

    error = await refusal(catalog, settings_for(upstream, folder), csvPath=name)

    assert error["kind"] == "invalid_arguments"
    assert problem in error["message"]
    assert upstream.requests == []


async def test_without_a_folder_no_file_is_read(catalog: Catalog, upstream: Upstream) -> None:
    error = await refusal(catalog, settings_for(upstream, None), csvPath="codes.csv")

    assert error["kind"] == "not_configured"
    assert "TALONONE_IMPORT_DIR" in error["hint"]


async def test_a_files_columns_are_checked_too(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "codes.csv").write_text("code\nA1\n")

    error = await refusal(catalog, settings_for(upstream, tmp_path), csvPath="codes.csv")

    assert "'code' is unknown" in error["details"][0]["problem"]


def swapping(file: Path) -> Callable[[str], types.ElicitResult]:
    """Say yes at once, after the file was swapped for another that begins alike."""
    first = file.read_text()

    def answer(_: str) -> types.ElicitResult:
        if file.read_text() == first:
            file.write_text(first[:-9] + "SWAPPED1\n")
            return YES
        return types.ElicitResult(action="decline")

    return answer


async def test_a_yes_is_for_the_content_that_was_shown(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    """A file that changed after the yes is asked about anew."""
    file = tmp_path / "codes.csv"
    file.write_text("value\n" + "".join(f"CODE{number:04}\n" for number in range(300)))
    server = build_server(settings_for(upstream, tmp_path, "ask"), catalog)

    async with connected(server, swapping(file)) as (client, asked):
        result = await client.call_tool("import_coupons", COUPONS | {"csvPath": "codes.csv"})

    assert result.structured_content["error"]["kind"] == "declined"
    assert len(asked) == 2
    assert asked[0] != asked[1]
    for question in asked:
        assert "Gives 300 codes: in 300 rows" in question
    assert upstream.changes == []


async def test_over_a_session_the_content_read_first_is_sent(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("value\n" + "".join(f"CODE{number:04}\n" for number in range(300)))
    server = build_server(settings_for(upstream, tmp_path, "ask"), catalog)

    async with connected(server, swapping(file), "legacy") as (client, _):
        result = await client.call_tool("import_coupons", COUPONS | {"csvPath": "codes.csv"})

    assert not result.is_error
    [sent] = [request for request in upstream.requests if request.method == "POST"]
    assert b"CODE0299" in sent.body
    assert b"SWAPPED1" not in sent.body


async def test_nobody_is_asked_about_rows_that_upstream_would_refuse(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    text = "value,limitval\nCODE1,1\nCODE2,-1\n"
    (tmp_path / "codes.csv").write_text(text)
    server = build_server(settings_for(upstream, tmp_path, "ask"), catalog)
    for arguments in ({"csv": text}, {"csvPath": "codes.csv"}):
        async with connected(server, lambda _: YES) as (client, asked):
            result = await client.call_tool("import_coupons", COUPONS | arguments)

        [detail] = result.structured_content["error"]["details"]
        assert detail["problem"].startswith("line 3: limitval must be a whole number")
        assert (asked, upstream.requests) == ([], [])


def copies(upstream: Upstream) -> list[Path]:
    return [*Path(upstream.state_dir, "imports").glob("*")]


def approve_the_pending_one(upstream: Upstream) -> None:
    ledger = SqliteLedger(Path(upstream.state_dir, LEDGER_FILE))
    [waiting] = [each for each in ledger.waiting() if each.state == "pending"]
    ledger.decide(waiting.id, approve=True, by="anna")


async def test_an_approval_is_for_the_content_and_not_for_the_name(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    many = "value\n" + "".join(f"CODE{number:05}\n" for number in range(5000))
    file = anyio.Path(tmp_path, "codes.csv")
    await file.write_text(many)
    server = build_server(settings_for(upstream, tmp_path, "approve"), catalog)
    async with Client(server) as client:

        async def kind_of(**arguments: Any) -> str | None:
            result = await client.call_tool("import_coupons", COUPONS | arguments)
            error: dict[str, str] = result.structured_content.get("error", {})
            assert copies(upstream) == []
            return error.get("kind")

        assert await kind_of(csvPath="codes.csv") == "approval_required"
        approve_the_pending_one(upstream)
        await file.write_text(many.replace("CODE04999", "CODE0499X"))
        assert await kind_of(csvPath="codes.csv") == "approval_required"
        assert upstream.changes == []
        await anyio.Path(tmp_path, "renamed.csv").write_text(many)
        assert await kind_of(csvPath="renamed.csv") is None
        assert await kind_of(csv=many) == "approval_required"  # the yes was used


async def test_the_question_tells_how_much_there_is(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    """Rows are counted however their lines end, so that none are hidden from the person."""
    many = "value\n" + "".join(f"é{number:04}\n" for number in range(9000))
    few = "value\rAAA\r\nBBB\n\rCCC"
    for content, rows, size in ((many, 9000, 54_006), (few, 3, len(few))):
        (tmp_path / "codes.csv").write_bytes(content.encode())
        asking = settings_for(upstream, tmp_path, "ask", confirm_coupons_above=0)
        server = build_server(asking, catalog)
        questions = []
        for given in ({"csvPath": "codes.csv"}, {"csv": content}):
            async with connected(server, lambda _: types.ElicitResult(action="decline")) as (
                client,
                asked,
            ):
                await client.call_tool("import_coupons", COUPONS | given)
            questions += asked

        assert len(questions) == 2
        assert questions[0] == questions[1]
        assert f"Gives {rows:,} codes: in {rows:,} rows" in questions[0]
        assert f"Set: csv.characters: {size}\n" in questions[0]
        assert copies(upstream) == []


async def test_characters_may_lie_across_the_pieces_in_which_a_file_is_read(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    content = "value\n" + "ü" * 1_100_000 + "\n"
    (tmp_path / "codes.csv").write_text(content, "utf-8")
    async with Client(build_server(settings_for(upstream, tmp_path), catalog)) as client:
        await client.call_tool("import_coupons", COUPONS | {"csvPath": "codes.csv"})

    assert content.encode() in upstream.requests[-1].body
    assert copies(upstream) == []


async def test_the_audit_log_tells_which_file_it_was(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "codes.csv").write_text(CODES)
    async with Client(build_server(settings_for(upstream, tmp_path), catalog)) as client:
        await client.call_tool("import_coupons", COUPONS | {"csvPath": "codes.csv"})

    log = await anyio.Path(upstream.state_dir, "audit.jsonl").read_text()
    line = json.loads(log)
    assert line["arguments"] == COUPONS | {"csvPath": "codes.csv"}
    digest = hashlib.sha256(CODES.encode()).hexdigest()
    assert line["file"] == {"bytes": len(CODES), "lines": 2, "sha256": digest}
    assert "FROM-A-FILE" not in log


async def test_the_copy_is_private_and_gone_when_the_call_is_cancelled(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "codes.csv").write_text(CODES)
    reached = anyio.Event()
    modes: list[int] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        [copy] = copies(upstream)
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in (copy.parent, copy))
        reached.set()
        await anyio.sleep_forever()

    server = build_server(settings_for(upstream, tmp_path), catalog, slow)
    async with Client(server) as client, anyio.create_task_group() as calls:
        calls.start_soon(client.call_tool, "import_coupons", COUPONS | {"csvPath": "codes.csv"})
        await reached.wait()
        calls.cancel_scope.cancel()

    assert modes == [0o700, 0o600]
    assert copies(upstream) == []


async def test_a_file_that_cannot_be_copied_is_not_sent(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "codes.csv").write_text(CODES)
    await anyio.Path(upstream.state_dir, "imports").touch()

    error = await refusal(catalog, settings_for(upstream, tmp_path), csvPath="codes.csv")

    assert error["kind"] == "blocked"
    assert upstream.requests == []


async def test_the_copies_of_a_dead_server_are_removed(
    catalog: Catalog, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "codes.csv").write_text(CODES)
    folder = Path(upstream.state_dir, "imports")
    await anyio.Path(folder).mkdir()
    for name in ("dead.csv", "live.csv"):
        (folder / name).touch()
    os.utime(folder / "dead.csv", (1, 1))
    async with Client(build_server(settings_for(upstream, tmp_path), catalog)) as client:
        await client.call_tool("import_coupons", COUPONS | {"csvPath": "codes.csv"})

    assert copies(upstream) == [folder / "live.csv"]


def test_files_are_read_over_stdio_only(tmp_path: Path) -> None:
    environment = {
        "TALONONE_BASE_URL": "https://acme.talon.one",
        "TALONONE_MANAGEMENT_KEY": "key",
        "TALONONE_IMPORT_DIR": str(tmp_path),
    }
    with pytest.raises(SettingsError, match=r"^TALONONE_IMPORT_DIR: .*stdio"):
        load_settings({"transport": "http"}, environment)
    with pytest.raises(SettingsError, match=r"^TALONONE_IMPORT_DIR: .*not a folder"):
        load_settings({}, environment | {"TALONONE_IMPORT_DIR": str(tmp_path / "none")})
