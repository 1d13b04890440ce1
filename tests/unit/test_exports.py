"""An export is kept in a file: its beginning is the answer, and a resource has the rest."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, MCPError, types
from starlette.types import Receive, Scope, Send

from talonone_mcp.calls.shaping.model_answer import CSV_BUDGET
from talonone_mcp.core import csv_rows
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import SettingsError, load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.store import export_files
from talonone_mcp.store.export_files import FileExports
from talonone_mcp.store.exports import Exports
from tests.clocks import Leaping
from tests.upstream import Upstream, serve
from tests.wire import misbehaving, send

pytestmark = pytest.mark.anyio
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])
LONG = "value,note\n" + "".join(f'C{number:05},"two\nlines"\n' for number in range(1, 3001))


@contextmanager
def answering(*chunks: str | bytes, kind: str = "application/csv") -> Iterator[Upstream]:
    """Serve an upstream that answers every export with these chunks."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for chunk in chunks:
            body = chunk if isinstance(chunk, bytes) else chunk.encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})

    with serve(answer) as upstream:
        yield upstream


def server_at(catalog: Catalog, upstream: Upstream, mask: bool = False, **more: str) -> Any:
    settings = load_settings({"mask_pii": mask}, upstream.environment | more)
    return build_server(settings, catalog, clock=Leaping().clock)


async def export(client: Client) -> Any:
    """Export and return the answer."""
    result = await client.call_tool("export_coupons", {"applicationId": 42})
    answer = result.structured_content
    assert answer is not None
    assert json.loads(result.content[0].text) == answer  # type: ignore[union-attr]
    return answer


async def read(client: Client, uri: str) -> str:
    result = await client.read_resource(uri)
    [contents] = result.contents
    assert isinstance(contents, types.TextResourceContents)
    assert (contents.uri, contents.mime_type) == (uri, "text/csv")
    return contents.text


async def listed_exports(client: Client) -> list[types.Resource]:
    """Return the exports among the resources that are listed."""
    listed = (await client.list_resources()).resources
    return [each for each in listed if each.uri.startswith("talonone://exports/")]


def left(upstream: Upstream) -> list[str]:
    """Return the kinds of the files that exports have left so far."""
    folder = Path(upstream.state_dir, "exports")
    assert folder.is_dir()
    return sorted(path.suffix for path in folder.iterdir())


async def test_a_short_export_is_shown_whole(catalog: Catalog) -> None:
    with answering("value\r\nA\r\n", "B\r\n") as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)

    assert answer["csv"] == "value\nA\nB\n"
    assert answer["page"] == {"shown": 2, "total": 2}
    about = answer["export"]
    assert about == about | {"columns": ["value"], "rows": 2, "bytes": 13}
    assert about["uri"] == f"talonone://exports/{about['id']}"


async def test_of_a_long_export_the_first_five_rows_are_shown(catalog: Catalog) -> None:
    with answering(LONG) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)

    assert answer["csv"] == LONG[: LONG.index("C00006")]
    assert answer["export"]["columns"] == ["value", "note"]
    assert answer["export"]["rows"] == 3000
    assert answer["export"]["bytes"] == len(LONG)
    page = answer["page"]
    assert (page["shown"], page["total"], page["left_out"]) == (5, 3000, 2995)
    assert f"{answer['export']['uri']}?from=6&rows=" in page["hint"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("v\n" + "x" * 100_000 + "\n1\n", 0),
        ("v" * 100_000 + "\n1\n", 0),
        ("v\n" + ("x" * 3000 + "\n") * 9, 2),
        ("v\n1\n" * 9000, 5),
    ],
    ids=["a row", "the header", "rows", "the whole"],
)
async def test_an_answer_stays_small_however_long_things_are(
    catalog: Catalog, text: str, shown: int
) -> None:
    with answering(text) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)

    assert answer["page"]["shown"] == shown
    assert len(json.dumps(answer)) < CSV_BUDGET + 1000


@pytest.mark.parametrize("chunks", [[], [""], ["\ufeff"], ["\n"]], ids=repr)
async def test_an_empty_export(catalog: Catalog, chunks: list[str]) -> None:
    with answering(*chunks) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)
            text = await read(client, answer["export"]["uri"])

    assert answer["page"] == {"shown": 0, "total": 0}
    assert (answer["csv"].strip(), text.strip()) == ("", "")
    assert answer["export"] == answer["export"] | {"columns": [], "rows": 0}


async def test_a_byte_order_mark_is_no_part_of_a_column(catalog: Catalog) -> None:
    with answering(b"\xef\xbb", b"\xbfvalue\nA\n") as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)

    assert answer["export"]["columns"] == ["value"]
    assert answer["csv"] == "value\nA\n"


@both_eras
async def test_the_answer_links_to_the_whole_export(catalog: Catalog, mode: str) -> None:
    with answering(LONG) as upstream:
        async with Client(server_at(catalog, upstream), mode=mode) as client:
            result = await client.call_tool("export_coupons", {"applicationId": 42})
            _, link = result.content
            assert isinstance(link, types.ResourceLink)
            text = await read(client, link.uri)

    assert text == LONG
    assert (link.name, link.mime_type, link.size) == ("export_coupons.csv", "text/csv", len(LONG))


@both_eras
async def test_exports_are_listed_and_so_is_how_to_read_them(catalog: Catalog, mode: str) -> None:
    with answering("v\n1\n") as upstream:
        async with Client(server_at(catalog, upstream), mode=mode) as client:
            before = await listed_exports(client)
            first, second = await export(client), await export(client)
            listed = await listed_exports(client)
            templates = (await client.list_resource_templates()).resource_templates

    assert before == []
    assert [each.uri for each in listed] == [second["export"]["uri"], first["export"]["uri"]]
    assert (listed[0].name, listed[0].mime_type, listed[0].size) == (
        "export_coupons.csv", "text/csv", 4,
    )  # fmt: skip
    assert "1 rows" in str(listed[0].description)
    assert {each.uri_template for each in templates} >= {
        "talonone://exports/{exportId}",
        "talonone://exports/{exportId}{?from,rows}",
    }


@pytest.mark.parametrize(
    ("query", "values"),
    [("from=2&rows=2", "23"), ("rows=1", "1"), ("from=4", "45"), ("rows=9&from=5", "5")],
)
async def test_parts_of_an_export(catalog: Catalog, query: str, values: str) -> None:
    with answering('v\n"1\n"\n"2\n"\n"3\n"\n"4\n"\n"5\n"') as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            uri = (await export(client))["export"]["uri"]
            text = await read(client, f"{uri}?{query}")

    header, *found = text.replace('"', "").split()
    assert (header, "".join(found)) == ("v", values)


@pytest.mark.parametrize("query", ["from=0", "from=6", "from=x", "rows=0", "rows=10001", "rows=-1"])
async def test_a_part_that_there_cannot_be(catalog: Catalog, query: str) -> None:
    with answering("v\n1\n2\n3\n4\n5\n") as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            uri = (await export(client))["export"]["uri"]
            with pytest.raises(MCPError, match="must be a whole number from 1 to") as refused:
                await read(client, f"{uri}?{query}")

    assert refused.value.error.code == types.INVALID_PARAMS


async def test_a_large_export_is_read_in_parts(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (export_files, csv_rows):
        monkeypatch.setattr(module, "MAX_READ_BYTES", 20_000)
    with answering(LONG) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            uri = (await export(client))["export"]["uri"]
            for whole in (uri, f"{uri}?rows=3000"):
                with pytest.raises(MCPError, match="Read fewer rows at a time") as refused:
                    await read(client, whole)
                assert str(Path(upstream.state_dir, "exports")) in str(refused.value)
            text = await read(client, f"{uri}?from=2999&rows=100")
        async with Client(server_at(catalog, upstream, mask=True)) as client:
            with pytest.raises(MCPError, match="rows at a time") as refused:
                await read(client, uri)

    assert text == LONG[: LONG.index("C00001")] + LONG[LONG.index("C02999") :]
    assert upstream.state_dir not in str(refused.value)  # that file is not masked


@pytest.mark.parametrize(("mode", "code"), [("auto", types.INVALID_PARAMS), ("legacy", -32002)])
@pytest.mark.parametrize(
    "uri",
    [
        "talonone://exports/e0123456789abcdef",
        "talonone://exports/..%2F..%2Fetc%2Fpasswd",
        "talonone://exports/*?from=1",
        "talonone://nothing/1",
        "file:///etc/passwd",
    ],
)
async def test_what_is_not_there(catalog: Catalog, mode: str, code: int, uri: str) -> None:
    with answering() as upstream:
        async with Client(server_at(catalog, upstream), mode=mode) as client:
            with pytest.raises(MCPError, match=r"There is no (export|resource)") as missing:
                await client.read_resource(uri)

    assert missing.value.error.code == code
    assert missing.value.error.data == {"uri": uri}


async def test_hidden_characters_are_shown_nowhere(catalog: Catalog) -> None:
    with answering("va\u200blue\nsum\u202emer\x1b[31m\nx\x00\n") as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)
            text = await read(client, answer["export"]["uri"])

    assert answer["csv"] == text == "value\nsummer[31m\nx\n"
    assert answer["export"]["columns"] == ["value"]


async def test_personal_data_is_masked_in_the_answer_and_in_the_resource(catalog: Catalog) -> None:
    attributes = '"{""phone"": ""55567088"", ""n"": 1}"'
    people = f"firstName,email,attributes\nAnna,anna.schmidt@example.com,{attributes}\n"
    shown = []
    with answering(people * 2) as upstream:
        for masked in (False, True):
            async with Client(server_at(catalog, upstream, mask=masked)) as client:
                answer = await export(client)
                uri = answer["export"]["uri"]
                parts = [await read(client, part) for part in (uri, f"{uri}?from=1&rows=1")]
                shown.append(f"{answer} {parts}")

    for private in ("Anna", "anna.schmidt@", "55567088"):
        assert shown[0].count(private) >= 3
        assert private not in shown[1]
    assert '{""phone"": ""***88"", ""n"": 1}' in shown[1]


async def test_only_the_owner_may_read_the_files(catalog: Catalog, tmp_path: Path) -> None:
    with answering("v\n1\n") as upstream:
        state = tmp_path / "new" / "state"
        server = server_at(catalog, upstream, TALONONE_STATE_DIR=str(state))
        async with Client(server) as client:
            about = (await export(client))["export"]

    folder = state / "exports"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (state, folder, *folder.glob("*"))}
    files = {folder / f"{about['id']}{suffix}": 0o600 for suffix in (".csv", ".json")}
    assert modes == {state: 0o700, folder: 0o700, **files}
    assert (folder / f"{about['id']}.csv").read_bytes() == b"v\n1\n"


BEGUN = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 99999999\r\n\r\nv\n"


async def test_a_cancelled_export_leaves_nothing(catalog: Catalog) -> None:
    begun = threading.Event()

    def stall(connection: socket.socket) -> None:
        connection.sendall(BEGUN.encode() + b"1\n" * 2_000_000)
        begun.set()
        wire.over.wait()

    with misbehaving(stall) as wire, answering() as upstream:
        upstream.url = wire.url
        async with Client(server_at(catalog, upstream)) as client:
            async with anyio.create_task_group() as calls:
                calls.start_soon(client.call_tool, "export_coupons", {"applicationId": 42})
                assert await anyio.to_thread.run_sync(begun.wait, 30)
                assert left(upstream) == [".part"]
                calls.cancel_scope.cancel()
            assert await listed_exports(client) == []
        assert left(upstream) == []


async def test_a_broken_export_leaves_nothing(catalog: Catalog) -> None:
    with misbehaving(send(f"{BEGUN}1\n")) as wire, answering() as upstream:
        upstream.url = wire.url
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)
            assert await listed_exports(client) == []
        assert left(upstream) == []

    assert answer["error"]["kind"] == "unreachable"
    assert "connection broke" in answer["error"]["message"]


async def test_what_is_no_csv_leaves_nothing(catalog: Catalog) -> None:
    with answering("<html>", kind="text/html") as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            answer = await export(client)
        assert left(upstream) == []

    assert answer["error"]["kind"] == "upstream"


async def test_a_disk_that_takes_no_more_is_said_and_leaves_nothing(catalog: Catalog) -> None:
    with answering("v\n" + "1\n" * 100_000) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            with files_of_at_most(50_000):
                error = (await export(client))["error"]
            assert left(upstream) == []
            assert (await export(client))["export"]["rows"] == 100_000

    assert error["kind"] == "blocked"
    assert "could not be stored in the state directory: File too large" in error["message"]
    assert "TALONONE_STATE_DIR" in error["hint"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse longer files, as it refuses any on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_folder_that_cannot_be_is_said(catalog: Catalog) -> None:
    with answering("v\n1\n") as upstream:
        await anyio.Path(upstream.state_dir, "exports").touch()
        async with Client(server_at(catalog, upstream)) as client:
            error = (await export(client))["error"]

    assert error["kind"] == "blocked"
    assert upstream.requests == []


async def test_more_than_is_kept_is_given_up(catalog: Catalog) -> None:
    with answering(*["v\n" + "1" * 600_000] * 2) as upstream:
        server = server_at(catalog, upstream, TALONONE_EXPORT_MEGABYTES="1")
        async with Client(server) as client:
            error = (await export(client))["error"]
        assert left(upstream) == []

    assert error["kind"] == "blocked"
    assert "TALONONE_EXPORT_MEGABYTES" in error["hint"]


async def test_the_oldest_exports_make_room(catalog: Catalog) -> None:
    with answering("v\n" + "1" * 400_000) as upstream:
        server = server_at(catalog, upstream, TALONONE_EXPORT_MEGABYTES="1")
        async with Client(server) as client:
            uris = [(await export(client))["export"]["uri"] for _ in range(4)]
            listed = [each.uri for each in await listed_exports(client)]
            with pytest.raises(MCPError, match="call the operation again"):
                await read(client, uris[1])
        assert left(upstream) == [".csv", ".csv", ".json", ".json"]

    assert listed == [uris[3], uris[2]]


async def kept(store: Exports, text: bytes = b"v\n1\n", principal: str = "local") -> str:
    async with store.receiving() as draft:
        await draft.write(text)
        return (await store.keep(draft, "export_coupons", principal)).id


async def test_an_export_is_gone_when_it_is_old(tmp_path: Path) -> None:
    now = time.time()
    store = FileExports(tmp_path, seconds=100, max_bytes=100, clock=Clock(lambda: now))
    old = await kept(store)
    now += 99
    assert store.find(old, "local")
    now += 2

    assert store.find(old, "local") is None
    assert store.kept("local") == []
    new = await kept(store)
    assert {path.stem for path in (tmp_path / "exports").glob("*")} == {new}


async def test_an_export_is_for_who_called(tmp_path: Path) -> None:
    store = FileExports(tmp_path, seconds=100, max_bytes=100)
    hers = await kept(store, principal="anna")

    assert store.find(hers, "ben") is None
    assert store.kept("ben") == []
    assert [each.id for each in store.kept("anna")] == [hers]


async def test_an_id_is_no_path(tmp_path: Path) -> None:
    store = FileExports(tmp_path, seconds=100, max_bytes=100)
    name = await kept(store)
    for path in (tmp_path / "exports").glob("*"):
        shutil.copy(path, tmp_path)

    assert store.find(name, "local")
    assert store.find(f"../{name}", "local") is None
    assert store.find(f"./{name}", "local") is None


async def test_no_more_than_a_number_of_exports_is_kept(tmp_path: Path) -> None:
    store = FileExports(tmp_path, seconds=100, max_bytes=100, max_exports=3)
    names = [await kept(store) for _ in range(5)]

    assert {each.id for each in store.kept("local")} == set(names[2:])


async def test_a_draft_that_is_written_to_is_left_alone_and_a_dead_one_is_not(
    tmp_path: Path,
) -> None:
    store = FileExports(tmp_path, seconds=100, max_bytes=10)
    dead = tmp_path / "exports" / "e0123456789abcdef.part"
    async with store.receiving() as draft:
        dead.touch()
        os.utime(dead, (1, 1))
        await draft.write(b"v\n12\n")
        await kept(store, b"v\n" + b"1" * 8)
        assert draft.path.exists()
        assert not dead.exists()
        assert (await store.keep(draft, "export_coupons", "local")).size == 5


async def test_a_body_that_begins_anew_replaces_what_was_there(tmp_path: Path) -> None:
    store = FileExports(tmp_path, seconds=100, max_bytes=5_000_000)
    async with store.receiving() as draft:
        await draft.write(b'x,y\n"\n' * 400_000)
        draft.restart()
        await draft.write(b"v\n1\n")
        export = await store.keep(draft, "export_coupons", "local")

    assert (export.columns, export.rows, export.size) == (("v",), 1, 4)
    assert store.text(export) == "v\n1\n"


async def test_progress_is_told_in_bytes_and_rows(catalog: Catalog) -> None:
    told: list[tuple[float, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    with answering(LONG) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            await client.call_tool("export_coupons", {"applicationId": 42}, progress_callback=tell)

    assert any(f"{len(LONG):,} bytes, 3,000 rows" in str(message) for _, message in told)


@pytest.mark.parametrize("name", ["TALONONE_EXPORT_HOURS", "TALONONE_EXPORT_MEGABYTES"])
def test_limits_that_mean_nothing_are_refused(name: str) -> None:
    for value in ("0", "-1", "x"):
        with pytest.raises(SettingsError, match=f"^{name}: "):
            load_settings({"sandbox": True}, {name: value})
