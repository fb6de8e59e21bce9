#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_terminal.py [--port PORT] PARTYLINE OUTPUT.svg

Makes the picture of a session that README.md shows. Nothing in it is drawn by hand: the server with
its console, nc, telnet and `partyline chat` run in the four panes of a tmux session and talk to each
other; what stands on their screens at the end, with its colours, becomes the picture.

PARTYLINE is the program, OUTPUT.svg the picture. It needs tmux, nc and telnet. The server listens on
127.0.0.1, on port 60000 unless another is given; with port 0 the kernel picks one.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
import uuid
from xml.sax.saxutils import escape

COLUMNS, ROWS = 76, 20  # of each pane
PATIENCE_S = 20

# ---- the session -------------------------------------------------------------------------------


class Panes:
    """Four shells in one tmux window, two above two."""

    def __init__(self, environment, directory):
        # A new pane takes PATH from the client that asks for it.
        self.environment = environment
        self.tmux = ["tmux", "-L", f"partyline-picture-{uuid.uuid4().hex}", "-u", "-f", "/dev/null"]
        shell = ["env", "PS1=$ ", "sh"]
        # One column and one row of the window are the borders between the panes.
        size = ["-x", str(2 * COLUMNS + 1), "-y", str(2 * ROWS + 1)]
        self.call("new-session", "-d", *size, "-c", directory, *shell)
        self.call("set-option", "-g", "status", "off")
        self.call("resize-window", *size)
        self.call("split-window", "-v", "-c", directory, *shell)
        self.call("split-window", "-h", "-t", "0.0", "-c", directory, *shell)
        self.call("split-window", "-h", "-t", "0.2", "-c", directory, *shell)
        self.call("select-layout", "tiled")

    def call(self, *arguments):
        done = subprocess.run(
            [*self.tmux, *arguments], check=True, stdout=subprocess.PIPE, env=self.environment)
        return done.stdout.decode("utf-8")

    def type(self, pane, text):
        """Types a line, as a person would: the text, then the return key."""
        self.call("send-keys", "-t", f"0.{pane}", "-l", text)
        self.call("send-keys", "-t", f"0.{pane}", "Enter")

    def text(self, pane):
        return self.call("capture-pane", "-p", "-t", f"0.{pane}")

    def expect(self, pane, pattern):
        """Looks at a pane until the pattern is found on it. Returns the match."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            screen = self.text(pane)
            match = re.search(pattern, screen, re.MULTILINE)
            if match is not None:
                return match
            if time.monotonic() > deadline:
                sys.exit(f"make_terminal: no {pattern!r} on pane {pane}:\n{screen}")

    def screen(self, pane):
        """Returns the rows of a pane with their escape sequences, and where the cursor is."""
        size = self.call("display-message", "-p", "-t", f"0.{pane}", "#{pane_width} #{pane_height}")
        if size.split() != [str(COLUMNS), str(ROWS)]:
            sys.exit(f"make_terminal: pane {pane} has the size {size.strip()}")
        cursor = self.call("display-message", "-p", "-t", f"0.{pane}", "#{cursor_x} #{cursor_y}")
        rows = self.call("capture-pane", "-e", "-p", "-t", f"0.{pane}").split("\n")
        return rows[:ROWS], tuple(int(number) for number in cursor.split())

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)


SERVER, NC, TELNET, CHAT = range(4)
PEOPLE = {NC: "alice", TELNET: "bob", CHAT: "carol"}


def say(panes, pane, text):
    """One says a line, and all three have it."""
    panes.type(pane, text)
    said = rf"^[-0-9]+ [:0-9]+ {PEOPLE[pane]}: {re.escape(text)}$"
    for listener in PEOPLE:
        panes.expect(listener, said)


def talk(panes, port):
    """The session: each step waits for what it brings about."""
    listen = "" if port == "60000" else f" --listen any://127.0.0.1:{port}"
    panes.type(SERVER, f"partyline serve{listen}")
    port = panes.expect(SERVER, r"^listening on any://127\.0\.0\.1:(\d+)$")[1]
    panes.expect(SERVER, r"^>> *$")

    panes.type(NC, f"nc 127.0.0.1 {port}")
    panes.expect(NC, r"^\*\*\* You are in lobby, alone so far\.$")
    panes.type(NC, "/nick alice")
    panes.expect(NC, r"^\*\*\* You are now called alice\.$")

    panes.type(TELNET, f"telnet 127.0.0.1 {port}")
    panes.expect(TELNET, r"^\*\*\* You are in lobby, with 1 other\.$")
    panes.type(TELNET, "/nick bob")
    panes.expect(TELNET, r"^\*\*\* You are now called bob\.$")
    panes.expect(NC, r" is now called bob$")

    where = "" if port == "60000" else f" 127.0.0.1:{port}"
    panes.type(CHAT, f"partyline chat{where} --nick carol")
    panes.expect(CHAT, r"^\*\*\* You are in #lobby, with 2 others: ")
    panes.expect(CHAT, r"^carol #lobby> *$")
    panes.expect(NC, r"^\*\*\* (carol joined|\S+ is now called carol)$")

    say(panes, NC, "hello from nc")
    say(panes, TELNET, "hello from telnet: nothing to install here either")
    say(panes, CHAT, "and I have colours, history and a prompt. 你好!")
    panes.type(NC, "/me waves")
    for listener in PEOPLE:
        panes.expect(listener, r"^[-0-9]+ [:0-9]+ \* alice waves$")

    panes.type(SERVER, "clients")
    panes.expect(SERVER, r"\bcarol\b.*\n(.*\n)*>> *$")
    panes.type(SERVER, "say Back in five minutes, after the update.")
    for listener in PEOPLE:
        panes.expect(listener, r": Back in five minutes, after the update\.$")
    panes.expect(SERVER, r"^>> say Back.*\nok\n>> *$")


def record(partyline, port):
    """Runs the session in a place of its own. Returns the four screens."""
    with tempfile.TemporaryDirectory(prefix="partyline-picture-") as directory:
        environment = {
            "PATH": f"{partyline.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": directory, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
        }
        if "TZ" in os.environ:
            environment["TZ"] = os.environ["TZ"]
        panes = Panes(environment, directory)
        try:
            talk(panes, port)
            screens = [panes.screen(pane) for pane in (SERVER, NC, TELNET, CHAT)]
            panes.type(SERVER, "quit")
            panes.expect(SERVER, r"^\$ *$")
            return screens
        finally:
            panes.close()


# ---- the picture -------------------------------------------------------------------------------

FONT_SIZE = 13
CELL_WIDTH, CELL_HEIGHT = 7.8, 17
PADDING, TITLE_HEIGHT, GAP = 12, 28, 14
# The windows are dark with a border of their own, so that they stand out on a light page and on a
# dark one.
GROUND, BORDER, BAR, BAR_TEXT, TEXT = "#1b1f27", "#5b6472", "#2b313c", "#b9c1cd", "#dde2ea"
COLOURS = ["#3b4252", "#ff7b72", "#7ee787", "#e3b341", "#79b8ff", "#d2a8ff", "#56d4dd", "#dde2ea",
           "#8b949e", "#ffa198", "#a5f0ad", "#f2cc60", "#a5d0ff", "#e2c5ff", "#8ae5eb", "#ffffff"]
DIMMED = "#98a2b0"


def colour_256(number):
    """xterm's palette."""
    if number < 16:
        return COLOURS[number]
    if number >= 232:
        return "#{0:02x}{0:02x}{0:02x}".format(8 + 10 * (number - 232))
    number -= 16
    parts = (number // 36, number // 6 % 6, number % 6)
    return "#" + "".join(f"{55 + 40 * part if part else 0:02x}" for part in parts)


class Style:
    """What SGR sequences have set so far."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.fore = self.back = None
        self.bold = self.dim = self.reverse = False

    def apply(self, parameters):
        codes = [int(code or 0) for code in parameters.split(";")]
        while codes:
            code = codes.pop(0)
            if code in (38, 48) and codes[:1] == [5]:
                colour = colour_256(codes[1])
                codes = codes[2:]
                self.fore, self.back = (colour, self.back) if code == 38 else (self.fore, colour)
            elif code == 0:
                self.reset()
            elif code in (1, 2):
                self.bold, self.dim = self.bold or code == 1, self.dim or code == 2
            elif code == 22:
                self.bold = self.dim = False
            elif code in (7, 27):
                self.reverse = code == 7
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fore = COLOURS[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.back = COLOURS[code - 40 if code < 100 else code - 92]
            elif code in (39, 49):
                self.fore, self.back = (None, self.back) if code == 39 else (self.fore, None)
            else:
                sys.exit(f"make_terminal: unknown colour code {code} in {parameters!r}")

    def colours(self):
        """(text, ground or None), both as colours."""
        fore = self.fore or (DIMMED if self.dim else TEXT)
        return (self.back or GROUND, fore) if self.reverse else (fore, self.back)


def cells(text):
    """How many columns a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def runs(row, style):
    """Cuts a row into (column, text, colour, ground, bold); wide characters stand alone."""
    column, found = 0, []
    for piece in re.split(r"(\x1b\[[0-9;]*m)", row):
        if piece.startswith("\x1b"):
            style.apply(piece[2:-1])
            continue
        if re.search(r"[\x00-\x1f\x7f]", piece):
            sys.exit(f"make_terminal: a control character in {piece!r}")
        # Fonts disagree about the width of wide characters: each is put where it belongs.
        for text in re.findall(r"[\u1100-\uffff]|[^\u1100-\uffff]+", piece):
            found.append((column, text, *style.colours(), style.bold))
            column += cells(text)
    return found


def draw_row(row, style, left, base):
    grounds, spans = [], []
    for column, text, colour, ground, bold in runs(row, style):
        x, width = left + column * CELL_WIDTH, cells(text) * CELL_WIDTH
        if ground is not None:
            grounds.append(f'<rect x="{x:.1f}" y="{base - 13}" width="{width:.1f}" '
                           f'height="{CELL_HEIGHT}" fill="{ground}"/>')
        if not text.strip():
            continue
        look = f' fill="{colour}"' if colour != TEXT else ""
        look += ' font-weight="bold"' if bold else ""
        spans.append(f'<tspan x="{x:.1f}" textLength="{width:.1f}"{look}>{escape(text)}</tspan>')
    if spans:
        grounds.append(f'<text y="{base}">{"".join(spans)}</text>')
    return grounds


def draw_window(title, screen, left, top):
    rows, (cursor_column, cursor_row) = screen
    width, height = window_size()
    lines = [
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
        f'<path d="M{left} {top + TITLE_HEIGHT}v-{TITLE_HEIGHT - 8}q0 -8 8 -8h{width - 16}'
        f'q8 0 8 8v{TITLE_HEIGHT - 8}z" fill="{BAR}"/>',
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="8" fill="none" '
        f'stroke="{BORDER}"/>',
        f'<text x="{left + PADDING}" y="{top + 19}" fill="{BAR_TEXT}">{escape(title)}</text>',
    ]
    style = Style()
    inner_left, inner_top = left + PADDING, top + TITLE_HEIGHT + PADDING
    for number, row in enumerate(rows):
        lines += draw_row(row, style, inner_left, inner_top + number * CELL_HEIGHT + 13)
    x = inner_left + cursor_column * CELL_WIDTH
    lines.append(f'<rect x="{x:.1f}" y="{inner_top + cursor_row * CELL_HEIGHT}" '
                 f'width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{TEXT}" opacity="0.6"/>')
    return lines


def window_size():
    return (round(COLUMNS * CELL_WIDTH) + 2 * PADDING,
            ROWS * CELL_HEIGHT + TITLE_HEIGHT + 2 * PADDING)


TITLES = ("the server, with its console", "alice: nc", "bob: telnet", "carol: partyline chat")


def draw(screens):
    """The four screens as one picture: SVG text in whatever monospaced font is there."""
    width, height = window_size()
    total = (2 * width + GAP + 2, 2 * height + GAP + 2)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total[0]} {total[1]}" '
        f'width="{total[0]}" height="{total[1]}" role="img" aria-labelledby="title">',
        "<!-- Made by docs/make_terminal.py; part of Partyline, under its licence (MIT). -->",
        '<title id="title">A Partyline server, and three people who talk to each other with nc, '
        'telnet and partyline chat</title>',
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', '
        f'monospace" font-size="{FONT_SIZE}" fill="{TEXT}" xml:space="preserve">',
    ]
    for number, (title, screen) in enumerate(zip(TITLES, screens)):
        left = 1 + number % 2 * (width + GAP)
        top = 1 + number // 2 * (height + GAP)
        lines += draw_window(title, screen, left, top)
    return "\n".join([*lines, "</g>", "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description="Makes the picture of a session.")
    parser.add_argument("--port", default="60000", help="where the server listens; 0: any")
    parser.add_argument("partyline", type=pathlib.Path, help="the program")
    parser.add_argument("output", type=pathlib.Path, help="the picture, SVG")
    arguments = parser.parse_args()
    for program in ("tmux", "nc", "telnet"):
        if shutil.which(program) is None:
            sys.exit(f"make_terminal: {program} is not installed")
    screens = record(arguments.partyline.resolve(), arguments.port)
    arguments.output.write_text(draw(screens), encoding="utf-8")


if __name__ == "__main__":
    main()
