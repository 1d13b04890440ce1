"""The configuration file: what it may hold, what goes before it, and what is said of a bad one."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.core.settings import Settings, SettingsError, gather, load_settings, with_state
from talonone_mcp.core.settings.config_file import keys
from talonone_mcp.core.state_folder import StateError, approval_lifetime, state_folder
from talonone_mcp.terminal import main

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
URL = "https://acme.europe-west1.talon.one"
ACCOUNT = f'[talonone]\nbase_url = "{URL}"\nmanagement_key = "a-key"\n'
Write = Callable[[str], Path]
posix = pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the user's configuration be empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "talonone-mcp" / "config.toml"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "my.toml"
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    return write


def loaded(path: Path, flags: dict[str, Any] | None = None, **environment: str) -> Settings:
    return load_settings({"config": str(path)} | (flags or {}), environment)


def refused(path: Path, flags: dict[str, Any] | None = None, **environment: str) -> str:
    with pytest.raises(SettingsError) as error:
        loaded(path, flags, **environment)
    return str(error.value)


def test_every_setting_can_stand_in_the_file(write: Write, tmp_path: Path) -> None:
    path = write(f"""
[talonone]
base_url = "{URL}"
email = "a@example.com"
password = "p a s s"
token_cache = "token"
third_party_url = "https://third.example"
third_party_key = "third"
platform_name = "pendula"
import_dir = "."
timeout = 7
deadline = 8.5
state_dir = "state"
approval_seconds = 9
export_hours = 1
export_megabytes = 2
audit_reads = true
confirm_coupons_above = 1
confirm_points_above = 2
confirm_cards_above = 3
confirm_referrals_above = 0
policy_file = "policy.yaml"
[integration_keys]
42 = "forty-two"
[capillary]
base_url = "https://capillary.example"
username = "u"
password = "q"
[serve]
mask_pii = true
profile = "support"
toolsets = ["coupons", "loyalty"]
tools = ["list_users"]
prompts = "."
read_only = true
output_schemas = true
confirm = "block"
""")
    sources = gather({"config": str(path)}, {})
    settings = sources.settings

    assert (settings.base_url, settings.timeout, settings.deadline) == (URL, 7, 8.5)
    assert settings.integration_keys[42].get_secret_value() == "forty-two"
    assert settings.toolsets == ("coupons", "loyalty")
    assert settings.thresholds == {"coupons": 1, "points": 2, "cards": 3, "referrals": 0}
    assert (settings.state_dir, settings.prompts) == (tmp_path / "state", tmp_path)
    assert settings.policy_file == tmp_path / "policy.yaml"
    unset = {"sandbox", "transport", "host", "port", "management_key", "integration_key"}
    unset |= {"capillary_token"}
    assert {name for name in Settings.model_fields if name not in sources.given} == unset


def test_the_file_of_the_flag_goes_before_that_of_the_variable_and_the_users_own(
    write: Write, tmp_path: Path, home: Path
) -> None:
    home.parent.mkdir(parents=True)
    for number, path in enumerate((home, tmp_path / "of-the-variable", write("")), 1):
        path.write_text(f"{ACCOUNT}timeout = {number}\n")
        path.chmod(0o600)
    variable = {"TALONONE_CONFIG": str(tmp_path / "of-the-variable")}

    assert load_settings({}, {}).timeout == 1
    assert load_settings({}, variable).timeout == 2
    assert load_settings({"config": str(tmp_path / "my.toml")}, variable).timeout == 3


def test_a_flag_goes_before_a_variable_before_the_file(write: Write) -> None:
    path = write(f'{ACCOUNT}timeout = 5\n[serve]\nconfirm = "block"\nprofile = "loyalty"\n')
    environment = {"TALONONE_TIMEOUT": "6", "TALONONE_MANAGEMENT_KEY": "another"}
    sources = gather({"config": str(path), "profile": "support"}, environment)

    settings = sources.settings
    assert (settings.timeout, settings.profile, settings.confirm) == (6, "support", "block")
    assert "another" in settings.secrets
    assert [
        str(sources.origin(name)) for name in ("timeout", "profile", "confirm", "deadline")
    ] == [
        "TALONONE_TIMEOUT",
        "--profile",
        f"{path}: [serve] confirm",
        "default",
    ]


def test_a_secret_in_a_file_of_its_own_is_looked_for_beside_the_configuration(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    path = write(f'[talonone]\nbase_url = "{URL}"\nmanagement_key_file = "key"\n')
    path.chmod(0o644)  # it holds no secret itself

    sources = gather({"config": str(path)}, {})

    assert sources.settings.secrets == ("from-a-file",)
    assert sources.origin("management_key").secret_file == tmp_path / "key"


def test_a_variable_spares_the_file_that_the_configuration_names(write: Write) -> None:
    path = write(f'[talonone]\nbase_url = "{URL}"\nmanagement_key_file = "not-there"\n')

    assert loaded(path, TALONONE_MANAGEMENT_KEY="a-key").secrets == ("a-key",)
    assert "[talonone] management_key_file: cannot read" in refused(path)


def test_an_empty_file_says_nothing(write: Write) -> None:
    assert "not set: TALONONE_BASE_URL" in refused(write(""))


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ACCOUNT.replace("\n", "\r\n").encode())
    path.chmod(0o600)

    assert loaded(path).base_url == URL


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "[talonone]\nbase_ulr = 1",
            r"\[talonone\] base_ulr: .*did you mean \[talonone\] base_url",
        ),
        ("[serve]\nread-only = true", r"\[serve\] read-only: .*did you mean \[serve\] read_only"),
        ("[serve]\nbase_url = 'x'", r"\[serve\] base_url: .*did you mean \[talonone\] base_url"),
        ("[capillary]\nzzz = 1", r"\[capillary\] zzz: there is no such key$"),
        ("[server]\nport = 1", r"no table \[server\]; did you mean \[serve\]\?"),
        ("[logging]\nlevel = 1", r"no table \[logging\]; the tables are \[talonone\], \[integ"),
        ("profile = 'support'", r"profile is outside any table; move it below \[serve\]"),
        ("xyzzy = 1", r"xyzzy: there is no such key"),
        ("talonone = 1", r"talonone must be a table"),
        ("[talonone]\ntimeout = '60'", r"\[talonone\] timeout: must be a number$"),
        ("[talonone]\ntimeout = true", r"\[talonone\] timeout: must be a number$"),
        ("[talonone]\nexport_megabytes = 1.5", r"export_megabytes: must be a whole number$"),
        ("[talonone]\naudit_reads = 1", r"audit_reads: must be true or false$"),
        ("[talonone]\nbase_url = 2024-01-01", r"base_url: must be text in quotes$"),
        ("[talonone]\nmanagement_key_file = 1", r"management_key_file: must be text in quotes$"),
        ("[serve]\ntoolsets = 'coupons'", r"toolsets: must be a list of names in quotes$"),
        ("[serve]\ntoolsets = ['a', 1]", r"toolsets: must be a list of names in quotes$"),
        ("integration_keys = 1", r"\[integration_keys\]: must be a table of keys"),
        (
            "[integration_keys]\nx = 'k'",
            r"\[integration_keys\]: has a name that is not an Application",
        ),
        ("[integration_keys]\n42 = 1", r"\[integration_keys\]: has a key for Application 42"),
        ("[talonone]\nbase_url = 'ftp://x'", r"\[talonone\] base_url: must be a URL"),
        ("[talonone]\nbase_url = ''", r"\[talonone\] base_url: must be a URL"),
        ("[talonone]\ntimeout = 0", r"\[talonone\] timeout: "),
        ("[talonone]\nmanagement_key = 'two words'", r"\[talonone\] management_key: must be one"),
        ("[serve]\nconfirm = 'maybe'", r"\[serve\] confirm: .*'ask'"),
        ("[talonone\n", r"line 1, column 10: is not valid TOML: "),
        ("[serve]\nport = \n", r"line 2, column 8: is not valid TOML: "),
        ("[serve]\nport = 1\nport = 2\n", r"line 3, .*is not valid TOML: "),
        ("[talonone]\nmanagement_key_file='a'\nmanagement_key='b'", r"are both set; keep one"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line_that_names_it(
    write: Write, line: str, says: str
) -> None:
    path = write(line)
    said = refused(path, {}, TALONONE_BASE_URL="", TALONONE_MANAGEMENT_KEY="")

    assert re.search(says, said), said
    assert said.startswith(f"{path}: ")
    assert "\n" not in said


def test_all_that_is_wrong_is_said_at_once(write: Write) -> None:
    said = refused(write("[talonone]\nbase_ulr = 1\ntimeout = 'x'\n[server]\n"))

    assert len(said.splitlines()) == 3


def test_no_message_repeats_a_secret(write: Write) -> None:
    secret = "only-i-know this"
    for text in (
        f"[talonone]\nmanagement_key = '{secret}'",
        f"[talonone]\nmanagement_key = ['{secret}']",
        f"[integration_keys]\n42 = '{secret}'",
        f"[integration_keys]\n42 = ['{secret}']",
        f"[talonone]\nmanagement_key = '{secret}",
        f"[talonone]\nmanagement_key = {secret}",
    ):
        assert "only-i-know" not in refused(write(text))


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_a_file_that_is_named_must_be_there(tmp_path: Path, how: str) -> None:
    path = tmp_path / "none.toml"
    flags = {"config": str(path)} if how == "flag" else {}
    with pytest.raises(SettingsError) as error:
        load_settings(flags, {} if flags else {"TALONONE_CONFIG": str(path)})

    by = "--config" if flags else "TALONONE_CONFIG"
    assert str(error.value) == f"{by}: cannot read {path}: No such file or directory"


@pytest.mark.parametrize("kind", ["folder", "pipe", "large", "binary", "deep", "nul"])
def test_what_is_no_configuration_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "nul":
        path = Path(f"{path}\0")
    else:
        content = {
            "large": b"#" * 2**20 + b"#",
            "binary": b"\n\xff\xfe",
            "deep": b"a=" + b"[" * 9999,
        }
        path.write_bytes(content[kind])

    said = refused(path)

    assert "odd" in said
    assert "\n" not in said


@posix
def test_a_file_with_a_secret_that_others_can_read_is_refused(write: Write) -> None:
    path = write(ACCOUNT)
    path.chmod(0o640)

    said = refused(path)

    assert said.startswith(f"{path}: can be read by other users (chmod 600")
    assert "[talonone] management_key" in said
    assert "\n" not in said


@posix
def test_a_link_to_a_private_file_will_do(write: Write, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(write(ACCOUNT))

    assert loaded(link).base_url == URL


def test_the_sandbox_does_not_look_at_the_account_in_the_file(write: Write) -> None:
    path = write("[talonone]\nbase_url = 1\nmanagement_key_file = 'none'\ntimeout = 7\n"
                 "[integration_keys]\nx = 1\n[capillary]\nusername = 'u'\n")  # fmt: skip
    path.chmod(0o644)

    for sandboxed in (loaded(path, {"sandbox": True}), loaded(write(
        f"[serve]\nsandbox = true\n{path.read_text()}"
    ))):  # fmt: skip
        assert sandboxed.timeout == 7
        assert sandboxed.base_url == "https://sandbox.invalid"


def test_the_state_of_the_file_is_known_without_an_account(write: Write, tmp_path: Path) -> None:
    path = write("[talonone]\nstate_dir = 'st'\napproval_seconds = 7\nmanagement_key = 1\n")
    environment = {"TALONONE_CONFIG": str(path), "TALONONE_APPROVAL_SECONDS": "8"}

    known = with_state(environment)

    assert (state_folder(known), approval_lifetime(known)) == (tmp_path / "st", 8)
    assert approval_lifetime(with_state({"TALONONE_CONFIG": str(path)})) == 7
    path.write_text("[talonone]\nstate_dri = 'st'\n")
    with pytest.raises(StateError, match="did you mean"):
        with_state(environment)


def test_a_port_in_the_file_does_not_hinder_stdio(write: Write) -> None:
    path = write(f"{ACCOUNT}[serve]\nport = 9000\n")

    assert loaded(path).port == 9000
    assert "need --transport http" in refused(path, {"port": 1})
    over_http = write(f'{ACCOUNT}[serve]\ntransport = "http"\n')
    assert loaded(over_http, {"port": 1}).port == 1


def test_serve_names_what_is_wrong_and_ends(
    write: Write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_CONFIG", "/of/the/variable")
    path = write("[talonone]\nmanagment_key = 'k'\n")

    assert main.main(["--config", str(path)]) == 2

    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert f"{path}: [talonone] managment_key" in err
    assert "did you mean [talonone] management_key" in err


def test_every_setting_has_a_meaning_on_the_page() -> None:
    text = PAGE.read_text("utf-8")

    for name, field in Settings.model_fields.items():
        called = field.alias or f"--{name.replace('_', '-')}"
        [row] = re.findall(rf"^\| `{called}[ `].*\|$", text, re.MULTILINE)
        assert all(cell.strip() for cell in row.strip("|").split("|")), row


def test_the_pages_example_can_be_used(write: Write, tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    [example] = re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "management-key").write_text("a-key\n")

    settings = loaded(write(example))

    assert settings.apis == {"management", "integration"}
    known = {table for table, _ in keys()}
    assert tomllib.loads(example).keys() <= known
