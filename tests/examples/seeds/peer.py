# SPDX-License-Identifier: MIT
"""What all the clients here share: the arguments HOST PORT, and what is typed."""
import sys

ADDRESS = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else None


def typed():
    """The lines that are typed, up to an empty one or the end."""
    for line in sys.stdin:
        line = line.rstrip("\n")
        if not line:
            return
        yield line
