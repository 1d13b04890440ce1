"""Workflows are independent: each stands on what they share, and on no other workflow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from talonone_mcp import workflows

ROOT = Path(workflows.__file__).parent
OF_A_WORKFLOW = sorted(ROOT.glob("*/*/*.py"))
SHARED = sorted({*ROOT.glob("*.py")} - {ROOT / "__init__.py"})
IMPORTED = re.compile(r"talonone_mcp\.workflows\.([a-z_]+)\.([a-z_]+)")


@pytest.mark.parametrize("path", OF_A_WORKFLOW, ids=lambda path: path.stem)
def test_a_workflow_imports_no_other(path: Path) -> None:
    own = path.relative_to(ROOT).parts[:2]

    assert {*IMPORTED.findall(path.read_text("utf-8"))} <= {own}


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.stem)
def test_what_workflows_share_imports_none_of_them(path: Path) -> None:
    assert IMPORTED.findall(path.read_text("utf-8")) == []
