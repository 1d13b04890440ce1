"""Puts `tools/` and `prompts/` into the wheel, as they are and compiled.

An installed server reads the compiled JSON, so it parses no YAML at start. An editable install
gets neither: it reads the checkout's own files.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalog(BuildHookInterface[Any]):
    """The build hook that `pyproject.toml` names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalog and the prompts into files that the wheel carries."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "server"))
        from talonone_mcp.core.catalog.compiler import compile_catalog  # noqa: PLC0415
        from talonone_mcp.server.prompts import compile_prompts  # noqa: PLC0415

        self._scratch = tempfile.TemporaryDirectory()
        compiled = Path(self._scratch.name)
        include = build_data["force_include"]
        for name, content in (
            ("catalog.json", compile_catalog(root / "tools")),
            ("prompts.json", compile_prompts(root / "prompts")),
        ):
            (compiled / name).write_text(json.dumps(content, separators=(",", ":")), "utf-8")
            include[str(compiled / name)] = f"talonone_mcp/{name}"
        for folder in ("tools", "prompts"):
            include[str(root / folder)] = f"talonone_mcp/{folder}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the compiled files once the wheel holds them."""
        if version != "editable":
            self._scratch.cleanup()
