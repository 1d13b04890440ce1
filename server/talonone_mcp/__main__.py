"""`python -m talonone_mcp` is `talonone-mcp`."""

from talonone_mcp.terminal.main import main

raise SystemExit(main())
