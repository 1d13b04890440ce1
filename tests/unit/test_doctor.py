"""What doctor says of good and of bad installations, at the terminal. A key is never printed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.ground.account_facts import USER_EMAIL, USER_PASSWORD
from talonone_mcp.terminal import main
from tests.certificates import Authority
from tests.faulty import faulty
from tests.upstream import Upstream, serve
from tests.wire import http, misbehaving

KEY = "a-key-of-some-length-1234"
LIST = json.dumps({"data": [], "hasMore": False})


@dataclass(frozen=True, slots=True)
class Said:
    """The exit status, what is on stdout, and that as JSON where it is."""

    status: int
    text: str

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.text)
        return report

    def of(self, about: str) -> list[dict[str, str]]:
        return [each for each in self.report["findings"] if each["about"] == about]

    def bad(self) -> list[str]:
        return [each["about"] for each in self.report["findings"] if each["level"] == "failure"]


Doctor = Callable[..., Said]


@pytest.fixture
def doctor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Doctor:
    """Run it as JSON, with a few variables, on a state directory of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")

    def run(environment: dict[str, str], *flags: str, as_json: bool = True) -> Said:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in ({"TALONONE_STATE_DIR": str(tmp_path / "st")} | environment).items():
                patch.setenv(name, value)
            status = main.main(["doctor", *flags, *(["--json"] if as_json else [])])
        out, err = capsys.readouterr()
        assert err == ""
        assert KEY not in out
        assert SANDBOX_KEY not in out
        return Said(status, out)

    return run


def account(url: str, **more: str) -> dict[str, str]:
    return {"TALONONE_BASE_URL": url, "TALONONE_MANAGEMENT_KEY": KEY} | more


@contextmanager
def keeping(refuse: Callable[[Scope], int | None], app: ASGIApp) -> Iterator[Upstream]:
    """Serve an application that refuses some requests with a status."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        status = refuse(scope)
        if status:
            given = Headers(scope=scope)["authorization"]  # repeated, as a bad upstream does
            answer = JSONResponse({"message": f"no, with {given}"}, status)
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    with serve(guarded) as upstream:
        yield upstream


@pytest.fixture
def sandbox(catalog: Catalog) -> Iterator[Sandbox]:
    with closing(Sandbox(catalog)) as app:
        yield app


# --- What is well --------------------------------------------------------------------------------


def test_the_sandbox_is_well(doctor: Doctor) -> None:
    said = doctor({}, "--sandbox")

    assert said.status == 0
    assert {each["level"] for each in said.report["findings"]} == {"ok", "note"}
    states = {each["state"] for each in said.report["toolsets"].values()}
    assert states == {"usable", "untested"}


def test_an_account_is_well_and_nothing_but_reads_were_sent(
    doctor: Doctor, upstream: Upstream, catalog: Catalog
) -> None:
    said = doctor(upstream.environment)

    assert (said.status, said.bad()) == (0, [])
    for about in ("Management API", "Integration API", "Third-party API", "clock"):
        assert [each["level"] for each in said.of(about)] == ["ok"]
    assert upstream.changes == []
    read = {each.path for each in upstream.requests}
    assert not [path for path in read if "export_" in path or path.endswith("/export")]
    pages = [dict(each.query).get("pageSize") for each in upstream.requests]
    assert {*pages} <= {"1", None}
    assert pages.count("1") > len(pages) / 2, "most probes are lists, of which one item will do"


def test_every_toolset_with_a_read_is_tried_unless_nothing_tells_its_arguments(
    doctor: Doctor, catalog: Catalog
) -> None:
    toolsets = doctor({}, "--sandbox").report["toolsets"]

    untested = {name for name, each in toolsets.items() if each["state"] == "untested"}
    assert untested == {"analytics", "auth", "catalogs", "giveaways", "notifications"}
    assert toolsets.keys() == {
        each.toolset for each in catalog.operations.values() if each.api == "management"
    }
    assert all(each["says"] for name, each in toolsets.items() if name in untested)


def test_a_session_is_opened_with_an_account_and_tells_the_same(
    doctor: Doctor, upstream: Upstream
) -> None:
    said = doctor(
        {
            "TALONONE_BASE_URL": upstream.url,
            "TALONONE_EMAIL": USER_EMAIL,
            "TALONONE_PASSWORD": USER_PASSWORD,
        }
    )

    assert said.status == 0
    assert USER_PASSWORD not in said.text
    assert [each.path for each in upstream.requests].count("/v1/sessions") == 1


# --- Keys ----------------------------------------------------------------------------------------


def test_a_key_that_is_refused_is_a_failure_that_says_where_it_came_from(
    doctor: Doctor, upstream: Upstream, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    environment = {"TALONONE_BASE_URL": upstream.url, "TALONONE_MANAGEMENT_KEY_FILE": str(key)}
    said = doctor(environment)

    assert (said.status, said.bad()) == (1, ["Management API"])
    [finding] = said.of("Management API")
    assert "401" in finding["says"]
    assert "It comes from TALONONE_MANAGEMENT_KEY_FILE" in finding["remedy"]
    assert len(upstream.requests) == 2, "a key that two endpoints refuse is not tried further"


def test_a_password_that_is_refused_is_tried_once(doctor: Doctor, upstream: Upstream) -> None:
    said = doctor(
        {"TALONONE_BASE_URL": upstream.url, "TALONONE_EMAIL": "a@b.example",
         "TALONONE_PASSWORD": KEY}
    )  # fmt: skip

    assert (said.status, said.bad()) == (1, ["Management API"])
    assert [each.path for each in upstream.requests] == ["/v1/sessions"]


def test_a_key_for_chosen_endpoints_shows_which_toolsets_it_opens(
    doctor: Doctor, sandbox: Sandbox
) -> None:
    closed = ("/v1/webhooks", "/v1/users", "/v1/additional_costs", "/v1/attributes")

    def refuse(scope: Scope) -> int | None:
        return 403 if scope["path"].startswith(closed) else None

    with keeping(refuse, sandbox) as upstream:
        said = doctor(upstream.environment, "--toolsets", "webhooks")

    states = {name: each["state"] for name, each in said.report["toolsets"].items()}
    assert said.status == 0, "a key may be for chosen endpoints"
    assert states["webhooks"] == states["additional_costs"] == "refused"
    assert states["users"] == "partly"
    assert states["campaigns"] == "usable"
    [listed] = [each for each in said.of("toolsets") if each["level"] == "warning"]
    assert "webhooks" in listed["says"]
    assert "attributes" not in listed["says"]


def test_a_key_that_opens_nothing_is_a_failure(doctor: Doctor, sandbox: Sandbox) -> None:
    with keeping(lambda scope: 403, sandbox) as upstream:
        said = doctor(account(upstream.url))

    assert (said.status, said.bad()) == (1, ["toolsets"])


def test_a_key_that_may_not_list_applications_is_still_looked_at(
    doctor: Doctor, sandbox: Sandbox
) -> None:
    with keeping(lambda scope: 403 if scope["path"] == "/v1/applications" else None, sandbox) as up:
        said = doctor(up.environment)

    states = {name: each["state"] for name, each in said.report["toolsets"].items()}
    assert said.status == 0
    assert states["loyalty"] == "usable"
    assert (states["applications"], states["stores"]) == ("refused", "untested")
    assert "list_applications" in said.report["toolsets"]["stores"]["says"]


def test_each_applications_key_is_tried(doctor: Doctor, upstream: Upstream) -> None:
    keys = json.dumps({"42": SANDBOX_KEY, "43": KEY})
    environment = {name: value for name, value in upstream.environment.items()
                   if name != "TALONONE_INTEGRATION_KEY"}  # fmt: skip
    said = doctor(environment | {"TALONONE_INTEGRATION_KEYS": keys})

    assert (said.status, said.bad()) == (1, ["Integration API (43)"])
    assert [each["level"] for each in said.of("Integration API (42)")] == ["ok"]


def test_a_key_of_the_integration_api_alone_needs_no_list(
    doctor: Doctor, upstream: Upstream
) -> None:
    environment = upstream.environment
    del environment["TALONONE_MANAGEMENT_KEY"]
    said = doctor(environment)

    assert (said.status, said.report["toolsets"]) == (0, {})
    assert [each["level"] for each in said.of("Third-party API")] == ["ok"]


# --- The way upstream ----------------------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[str]:
    """Yield the address of a host on which nobody listens."""
    with faulty(time.monotonic) as server:
        url = server.url
    yield url


def test_a_host_that_is_dead(doctor: Doctor) -> None:
    with nobody() as url:
        said = doctor(account(url))

    assert (said.status, said.bad()) == (1, ["Management API"])
    [finding] = said.of("Management API")
    assert "could not be reached" in finding["says"]
    assert "TALONONE_BASE_URL" in finding["remedy"]
    assert said.report["toolsets"] == {}


def test_a_page_in_place_of_the_api(doctor: Doctor) -> None:
    page = "<html><title>Sign in</title></html>"
    with misbehaving(http(200, page, "text/html")) as wire:
        said = doctor(account(wire.url))

    assert said.bad() == ["Management API"]
    [finding] = said.of("Management API")
    assert "Sign in" in finding["says"]
    assert "page before it" in finding["remedy"]


def test_a_redirect_names_the_host_and_takes_no_key_there(doctor: Doctor) -> None:
    with misbehaving(http(302, "", Location=f"https://x:{KEY}@elsewhere.example/{KEY}")) as wire:
        said = doctor(account(wire.url))

    assert said.bad() == ["Management API"]
    assert "elsewhere.example" in said.text


@pytest.mark.parametrize("path", ["/talon", "/v1/applications"])
def test_a_path_that_does_not_belong_to_the_base_url(
    doctor: Doctor, upstream: Upstream, path: str
) -> None:
    said = doctor(account(upstream.url + path))

    assert said.bad() == ["Management API"]
    [finding] = said.of("Management API")
    assert f"{path} answers, but does not have list_applications" in finding["says"]
    assert "typo" in finding["remedy"]


def test_a_host_that_does_not_answer_is_not_waited_for(doctor: Doctor) -> None:
    with misbehaving() as wire:
        wire.behave = wire.hang
        said = doctor(account(wire.url, TALONONE_TIMEOUT="0.2"))

    assert said.bad() == ["Management API"]
    assert "did not answer" in said.of("Management API")[0]["says"]


def test_a_certificate_that_nobody_vouches_for(doctor: Doctor, tmp_path: Path) -> None:
    context = Authority("strangers").context(tmp_path)
    with faulty(time.monotonic, tls=context) as server:
        said = doctor(account(server.url))

    assert said.bad() == ["Management API"]
    [finding] = said.of("Management API")
    assert "could not prove who it is" in finding["says"]
    assert "SSL_CERT_FILE" in finding["remedy"]


def test_a_certificate_of_another_host(doctor: Doctor, tmp_path: Path) -> None:
    authority = Authority("known")
    trusted = str(authority.certificate_in(tmp_path))
    with faulty(time.monotonic, tls=authority.context(tmp_path)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        said = doctor(account(url, SSL_CERT_FILE=trusted))

    assert said.bad() == ["Management API"]
    assert "could not prove who it is" in said.of("Management API")[0]["says"]


def test_http_where_https_is_spoken(doctor: Doctor, tmp_path: Path) -> None:
    with faulty(time.monotonic, tls=Authority("any").context(tmp_path)) as server:
        said = doctor(account(server.url.replace("https", "http")))

    assert said.bad() == ["Management API"]


@pytest.mark.parametrize(
    ("name", "value"), [("SSL_CERT_FILE", "/none"), ("HTTPS_PROXY", "gopher://me:pass@x")]
)
def test_certificates_or_a_proxy_that_cannot_be_used(doctor: Doctor, name: str, value: str) -> None:
    said = doctor(account("https://127.0.0.1:1", **{name: value}))

    assert (said.status, said.bad()) == (1, ["HTTP client"])
    assert name in said.of("HTTP client")[0]["remedy"]
    assert "pass@" not in said.text


@pytest.mark.parametrize(
    ("off", "level"), [(0.0, "ok"), (30.0, "note"), (-30.0, "note"), (7200.0, "warning")]
)
def test_clocks_that_differ(doctor: Doctor, off: float, level: str) -> None:
    date = formatdate(time.time() + off, usegmt=True)
    with misbehaving(http(200, LIST, Date=date)) as wire:
        said = doctor(account(wire.url))

    [clock] = said.of("clock")
    assert clock["level"] == level
    assert said.status == 0
    assert bool(clock["remedy"]) == (level == "warning")
    if off:
        assert ("behind" if off > 0 else "ahead of") in clock["says"]


def test_a_date_that_is_none_says_nothing(doctor: Doctor) -> None:
    with misbehaving(http(200, LIST, Date="yesterday")) as wire:
        said = doctor(account(wire.url))

    assert said.status == 0
    assert said.of("clock") == []


def test_an_endpoint_that_fails_is_a_warning(doctor: Doctor, sandbox: Sandbox) -> None:
    def refuse(scope: Scope) -> int | None:
        return {"/v1/webhooks": 500, "/v1/audiences": 501}.get(scope["path"])

    with keeping(refuse, sandbox) as upstream:
        said = doctor(upstream.environment)

    toolsets = said.report["toolsets"]
    assert said.status == 0
    assert toolsets["webhooks"]["state"] == "failed"
    assert toolsets["audiences"]["state"] == "absent"


# --- This machine --------------------------------------------------------------------------------


def test_each_setting_is_shown_with_its_origin_and_no_secret(
    doctor: Doctor, upstream: Upstream, tmp_path: Path
) -> None:
    file = tmp_path / "my.toml"
    file.write_text(
        f'[talonone]\nmanagement_key = "{SANDBOX_KEY}"\nintegration_key = "short-secret"\n'
        '[serve]\nprofile = "loyalty"\nmask_pii = true\n'
    )
    file.chmod(0o600)
    said = doctor({"TALONONE_BASE_URL": upstream.url}, "--config", str(file), "--profile", "admin")

    shown = {row["name"]: (row["value"], row["origin"]) for row in said.report["settings"]}
    assert said.report["file"] == str(file)
    assert shown["TALONONE_BASE_URL"] == (upstream.url, "environment")
    assert shown["TALONONE_MANAGEMENT_KEY"] == ("****else", "[talonone] management_key")
    assert shown["TALONONE_INTEGRATION_KEY"] == ("****", "[talonone] integration_key")
    assert shown["--profile"] == ("admin", "command line")
    assert shown["--mask-pii"] == ("true", "[serve] mask_pii")
    assert shown["TALONONE_TIMEOUT"] == ("60", "default")
    assert "short-secret" not in said.text


def test_a_key_where_none_belongs_is_not_shown_either(doctor: Doctor, upstream: Upstream) -> None:
    said = doctor(account(f"{upstream.url}/{KEY}", TALONONE_PLATFORM_NAME=KEY))

    shown = {row["name"]: row["value"] for row in said.report["settings"]}
    assert shown["TALONONE_BASE_URL"] == f"{upstream.url}/[secret]"


def test_keys_of_applications_are_masked_one_by_one(doctor: Doctor, upstream: Upstream) -> None:
    keys = json.dumps({"42": KEY, "43": "short-secret"})
    said = doctor({"TALONONE_BASE_URL": upstream.url, "TALONONE_INTEGRATION_KEYS": keys})

    shown = {row["name"]: row["value"] for row in said.report["settings"]}
    assert shown["TALONONE_INTEGRATION_KEYS"] == "42: ****1234, 43: ****"
    assert "short-secret" not in said.text


def test_a_configuration_that_cannot_be_used_still_says_all_that_is_known(
    doctor: Doctor, tmp_path: Path
) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[talonone]\ntimeout = 'soon'\nbase_ulr = 'x'\n")
    environment = {
        "TALONONE_BASE_URL": f"https://me:{KEY}@acme.example?token={KEY}",
        "TALONONE_MANAGEMENT_KEY": f"{KEY} {KEY}",
        "TALONONE_INTEGRATION_KEYS": json.dumps({"a": KEY}),
    }
    said = doctor(environment, "--config", str(file))

    assert (said.status, said.bad()) == (2, ["configuration", "configuration"])
    assert said.of("state directory")[0]["level"] == "ok"
    assert said.report["versions"]["talonone-mcp"]

    file.write_text("")
    said = doctor(environment, "--config", str(file))

    assert (said.status, said.bad()) == (2, ["configuration"] * 3)


def test_nothing_configured_says_what_is_missing(doctor: Doctor) -> None:
    said = doctor({})

    assert said.status == 2
    assert "TALONONE_BASE_URL" in said.of("configuration")[0]["says"]


def test_a_profile_that_there_is_not_cannot_be_served(doctor: Doctor) -> None:
    said = doctor({}, "--sandbox", "--profile", "supprt")

    assert (said.status, said.bad()) == (2, ["configuration"])
    assert "did you mean support?" in said.text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TALONONE_MANAGMENT_KEY", "TALONONE_MANAGEMENT_KEY?"),
        ("TALONONE_PASSWORD_FIEL", "TALONONE_PASSWORD_FILE?"),
        ("TALONONE_CONFIRM", "flag --confirm"),
        ("TALONONE_READ_ONLY", "flag --read-only"),
    ],
)
def test_a_variable_that_is_no_setting_is_named(doctor: Doctor, name: str, meant: str) -> None:
    said = doctor({name: KEY, "TALONONE_OF_ANOTHER_PROGRAM": "1"}, "--sandbox")

    [finding] = said.of("environment")
    assert (said.status, finding["level"]) == (0, "warning")
    assert name in finding["says"]
    assert meant in finding["remedy"]


def test_a_key_file_that_others_can_read_is_a_warning(
    doctor: Doctor, upstream: Upstream, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(SANDBOX_KEY)
    key.chmod(0o644)
    said = doctor({"TALONONE_BASE_URL": upstream.url, "TALONONE_MANAGEMENT_KEY_FILE": str(key)})

    [finding] = said.of("TALONONE_MANAGEMENT_KEY_FILE")
    assert (said.status, finding["level"]) == (0, "warning")
    assert f"chmod 600 {key}" in finding["remedy"]


def test_a_state_directory_that_is_a_file(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "st").write_text("")
    said = doctor({}, "--sandbox")

    assert said.status == 1
    assert "state directory" in said.bad()


def test_a_state_directory_that_others_may_enter(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "st").mkdir()
    (tmp_path / "st").chmod(0o755)
    said = doctor({}, "--sandbox")

    [finding] = said.of("state directory")
    assert (said.status, finding["level"]) == (0, "warning")
    assert "chmod 700" in finding["remedy"]


def test_an_audit_log_that_was_changed(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "st").mkdir(mode=0o700)
    (tmp_path / "st" / "audit.jsonl").write_text("{}\n")
    said = doctor({}, "--sandbox")

    assert (said.status, said.bad()) == (1, ["audit log"])
    assert "talonone-mcp audit verify" in said.of("audit log")[0]["remedy"]


def test_a_folder_of_imports_is_looked_at(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()

    good = doctor({"TALONONE_IMPORT_DIR": str(tmp_path / "in")}, "--sandbox")
    bad = doctor({"TALONONE_IMPORT_DIR": str(tmp_path / "none")}, "--sandbox")

    assert good.of("import folder")[0]["level"] == "ok"
    assert (bad.status, "TALONONE_IMPORT_DIR" in bad.of("configuration")[0]["says"]) == (2, True)


def test_a_gate_that_is_off_is_a_warning(doctor: Doctor) -> None:
    said = doctor({}, "--sandbox", "--confirm", "off")

    assert (said.status, said.of("gate")[0]["level"]) == (0, "warning")


# --- For people ----------------------------------------------------------------------------------


def test_a_person_sees_lines_that_align_and_what_to_do(doctor: Doctor, upstream: Upstream) -> None:
    said = doctor(account(upstream.url), as_json=False)
    lines = said.text.splitlines()

    [failed] = [at for at, line in enumerate(lines) if line.startswith("FAIL")]
    column = lines[failed].index("http://")
    assert any(line[column:].startswith("-> ") for line in lines[failed + 1 : failed + 4])
    assert any(line.startswith("ok ") and line[column - 1 : column + 1].strip() for line in lines)
    assert lines[-1].startswith("1 failure: ")
    assert all(len(line) <= 100 for line in lines[lines.index("", 2) :])
    assert "****1234" in said.text
    assert "\x1b" not in said.text


def test_all_well_is_said_last(doctor: Doctor) -> None:
    said = doctor({}, "--sandbox", as_json=False)

    assert said.text.splitlines()[-1] == "All well."
