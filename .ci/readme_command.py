"""Prints the command of the README that ends as told: readme_command.py README.md pytest."""

import re
import sys
from pathlib import Path

readme, ending = sys.argv[1:]
text = Path(readme).read_text("utf-8")
blocks = re.findall(r"^```sh\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
[command] = [block for block in blocks if block.endswith(ending)]
print(command)
