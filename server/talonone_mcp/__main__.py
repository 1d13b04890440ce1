"""`python -m talonone_mcp` is `talonone-mcp`."""

from talonone_mcp.cli import main

raise SystemExit(main())
