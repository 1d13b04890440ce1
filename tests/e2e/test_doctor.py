"""The installed doctor, as a person and as a script start it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.installed import run
from tests.upstream import Upstream


def test_it_examines_an_account_that_a_file_configures(upstream: Upstream, tmp_path: Path) -> None:
    key = upstream.environment["TALONONE_MANAGEMENT_KEY"]
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[talonone]\nbase_url = "{upstream.url}"\nmanagement_key_file = "key"\n'
        '[serve]\nprofile = "support"\n'
    )

    well = run("doctor", "--config", str(config), "--json")
    config.write_text(config.read_text().replace(upstream.url, "http://127.0.0.1:1"))
    dead = run("doctor", environment={"TALONONE_CONFIG": str(config)})
    config.write_text("[talonone]\nbase_url = \n")
    broken = run("doctor", environment={"TALONONE_CONFIG": str(config)})

    assert [each.returncode for each in (well, dead, broken)] == [0, 1, 2]
    assert json.loads(well.stdout)["status"] == 0
    assert "[talonone] management_key_file" in well.stdout
    assert "FAIL  Management API" in dead.stdout
    assert "line 2, column 12" in broken.stdout
    assert all(each.stderr == "" and key not in each.stdout for each in (well, dead, broken))
    assert upstream.changes == []


def test_it_looks_at_the_sandbox_too() -> None:
    said = run("doctor", "--sandbox")

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.endswith("All well.\n")
