# SPDX-License-Identifier: MIT
"""The manual names what the program has, no more and no less."""
import re

from harness import ROOT
from test_server import partyline


def test_manual_has_each_subcommand_and_no_other():
    listed = re.findall(r"^  (\w+) ", partyline("help").stdout, re.MULTILINE)
    page = (ROOT / "man/partyline.1").read_text(encoding="utf-8")
    described = re.findall(r"^\.It Cm (\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(described)
