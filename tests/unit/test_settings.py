"""What starts the server, and what is said when it cannot start."""

from pathlib import Path

import pytest

from talonone_mcp.core.settings import SettingsError, load_settings

URL = "https://acme.europe-west1.talon.one"
ACCOUNT = {"TALONONE_BASE_URL": URL, "TALONONE_MANAGEMENT_KEY": "a-key"}


def test_an_account_from_the_environment() -> None:
    settings = load_settings({}, ACCOUNT)

    assert settings.base_url == URL
    assert settings.apis == {"management"}
    assert settings.confirm == "ask"
    assert "a-key" not in repr(settings)


@pytest.mark.parametrize("given", [f"{URL}/", f" {URL}", f"{URL}//"])
def test_a_base_url_is_tidied(given: str) -> None:
    assert load_settings({}, ACCOUNT | {"TALONONE_BASE_URL": given}).base_url == URL


def test_a_base_url_may_have_a_port_and_a_path() -> None:
    url = "http://localhost:8080/talon"
    assert load_settings({}, ACCOUNT | {"TALONONE_BASE_URL": url}).base_url == url


def test_nothing_configured_names_both_variables_and_the_sandbox() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({}, {})

    for part in ("TALONONE_BASE_URL", "TALONONE_MANAGEMENT_KEY", "--sandbox"):
        assert part in str(error.value)


def test_only_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({}, {"TALONONE_BASE_URL": URL})

    assert "TALONONE_MANAGEMENT_KEY" in str(error.value)
    assert "TALONONE_BASE_URL" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["acme.talon.one", "ftp://acme.talon.one", "https://", "https://[::1", "https://a b.one",
     "https://x:port", "https://u:p@acme.one", "https://acme.one?x=1", f"{URL}/v1", "nonsense"],
)  # fmt: skip
def test_a_base_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^TALONONE_BASE_URL: ") as error:
        load_settings({}, ACCOUNT | {"TALONONE_BASE_URL": url})

    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["two words", "new\nline", "schlüssel", "\x00"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError, match=r"^TALONONE_MANAGEMENT_KEY: ") as error:
        load_settings({}, ACCOUNT | {"TALONONE_MANAGEMENT_KEY": key})

    assert key not in str(error.value)


def test_a_key_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-a-file\n")
    environment = {"TALONONE_BASE_URL": URL, "TALONONE_MANAGEMENT_KEY_FILE": str(file)}

    key = load_settings({}, environment).management_key

    assert key is not None
    assert key.get_secret_value() == "from-a-file"


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    environment = {"TALONONE_BASE_URL": URL, "TALONONE_MANAGEMENT_KEY_FILE": str(tmp_path / "no")}
    with pytest.raises(SettingsError, match="TALONONE_MANAGEMENT_KEY_FILE: cannot read"):
        load_settings({}, environment)


def test_a_key_and_its_file_contradict_each_other(tmp_path: Path) -> None:
    environment = ACCOUNT | {"TALONONE_MANAGEMENT_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(SettingsError, match="both set"):
        load_settings({}, environment)


@pytest.mark.parametrize("timeout", ["0", "-1", "soon", "nan"])
def test_a_timeout_that_is_none(timeout: str) -> None:
    with pytest.raises(SettingsError, match=r"^TALONONE_TIMEOUT: "):
        load_settings({}, ACCOUNT | {"TALONONE_TIMEOUT": timeout})


def test_the_sandbox_needs_no_account_and_uses_none() -> None:
    settings = load_settings({"sandbox": True}, ACCOUNT)

    assert settings.base_url != URL
    assert settings.apis == {"management", "integration", "third_party", "capillary"}


@pytest.mark.parametrize(
    "broken",
    [
        {"TALONONE_MANAGEMENT_KEY_FILE": "/of/no/file"},
        {"TALONONE_BASE_URL": "nonsense"},
        {"TALONONE_EMAIL": "half@an.account"},
        {"TALONONE_INTEGRATION_KEYS": "{"},
        {"TALONONE_TOKEN_CACHE": "/of/no/file"},
        {"CAPILLARY_USERNAME": "half"},
    ],
)
def test_an_account_that_cannot_be_used_does_not_concern_the_sandbox(
    broken: dict[str, str],
) -> None:
    assert load_settings({"sandbox": True}, broken | {"TALONONE_TIMEOUT": "7"}).timeout == 7


def test_a_port_without_http_is_a_contradiction() -> None:
    with pytest.raises(SettingsError, match="--transport http"):
        load_settings({"port": 8000}, ACCOUNT)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com"])
def test_other_machines_are_not_served(host: str) -> None:
    with pytest.raises(SettingsError, match=f"--host {host}"):
        load_settings({"transport": "http", "host": host}, ACCOUNT)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int) -> None:
    with pytest.raises(SettingsError, match=r"^--port: "):
        load_settings({"transport": "http", "port": port}, ACCOUNT)
