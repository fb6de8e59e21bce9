# SPDX-License-Identifier: MIT
"""Hostile bytes: text that is not UTF-8 or looks like something else, lines of every length, tags,
capability requests, masks, and what comes at the wrong time."""
import contextlib
import resource

import pytest

from hostile import CAPS, attempt, row, table

MIB = 1 << 20


def said(name, text):
    """A message that arrives."""
    return row(name, b"PRIVMSG {room} :" + text + b"\r\n", "", seen="PRIVMSG")


def refused(name, text):
    """A message that is no UTF-8: told, and seen by nobody."""
    return row(name, b"PRIVMSG {room} :" + text + b"\r\n", "FAIL")


NOT_UTF8 = {
    "lone continuation 80": b"\x80", "lone continuation bf": b"\xbf", "two continuations": b"\x80\xbf",
    "lead c2 alone": b"\xc2", "lead c2 and space": b"\xc2 ", "lead e0 alone": b"\xe0",
    "three bytes cut after one": b"\xe2x", "three bytes cut after two": b"\xe2\x82x",
    "four bytes cut after one": b"\xf0x", "four bytes cut after two": b"\xf0\x9fx",
    "four bytes cut after three": b"\xf0\x9f\x98x", "overlong slash in two": b"\xc0\xaf",
    "overlong slash in three": b"\xe0\x80\xaf", "overlong slash in four": b"\xf0\x80\x80\xaf",
    "overlong slash in five": b"\xf8\x80\x80\x80\xaf", "overlong slash in six": b"\xfc\x80\x80\x80\x80\xaf",
    "overlong NUL": b"\xc0\x80", "overlong NUL in three": b"\xe0\x80\x80",
    "overlong CR": b"\xc0\x8d", "overlong LF": b"\xc0\x8a", "overlong 7ff": b"\xe0\x9f\xbf",
    "overlong ffff": b"\xf0\x8f\xbf\xbf", "first surrogate": b"\xed\xa0\x80",
    "last high surrogate": b"\xed\xaf\xbf", "first low surrogate": b"\xed\xb0\x80",
    "last surrogate": b"\xed\xbf\xbf", "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "110000": b"\xf4\x90\x80\x80", "1fffff": b"\xf7\xbf\xbf\xbf", "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80", "fe": b"\xfe", "ff": b"\xff", "fe fe ff ff": b"\xfe\xfe\xff\xff",
    "latin 1": b"caf\xe9", "utf 16": b"\xff\xfea\xb0", "all continuation bytes": bytes(range(0x80, 0xc0)),
    "all lead bytes": b" ".join(bytes([byte]) for byte in range(0xc0, 0xfe)),
}

UTF8 = {
    "last of one": b"\x7f", "first of two": "\u0080".encode(), "last of two": "\u07ff".encode(),
    "first of three": "\u0800".encode(), "last before surrogates": "\ud7ff".encode(),
    "first after surrogates": "\ue000".encode(), "replacement": "\ufffd".encode(),
    "fffe": "\ufffe".encode(), "ffff": "\uffff".encode(), "first of four": "\U00010000".encode(),
    "10ffff": "\U0010ffff".encode(), "1fffe": "\U0001fffe".encode(), "fdd0": "\ufdd0".encode(),
    "byte order mark": "\ufeffx".encode(), "right to left override": "\u202eabc".encode(),
    "isolates": "\u2066a\u2069".encode(), "embeddings": "\u202aa\u202c".encode(),
    "zero width": "a\u200b\u200c\u200d\u2060b".encode(), "combining": ("e" + "\u0301" * 50).encode(),
    "soft hyphens": ("\u00ad" * 20).encode(), "line separator": "a\u2028b".encode(),
    "paragraph separator": "a\u2029b".encode(), "next line": "a\u0085b".encode(),
    "emoji with joiners": "\U0001f469\u200d\U0001f4bb".encode(), "flags": "\U0001f1e9\U0001f1ea".encode(),
    "tags of plane 14": "\U000e0041".encode(), "private use": "\ue123\U000f0000".encode(),
    "escape sequence": b"\x1b[2J\x1b]0;x\x07", "c1 csi": "\u009b31m".encode(), "bell": b"\x07",
    "backspace": b"a\x08b", "tabs": b"\ta\tb", "vertical tab and form feed": b"a\x0bb\x0cc",
    "delete": b"a\x7fb", "all of c0 but NUL LF CR": bytes(set(range(1, 32)) - {10, 13}),
    "format strings": b"%s%n%x%p %1000000d", "shell": b"$(reboot) `id` ;ls", "markup": b"<script>alert(1)</script>",
    "sql": b"'; DROP TABLE events; --", "only a colon": b":", "spaces": b"  a  ",
    "an irc line": b":irc.example 001 you :Welcome", "a tagged line": b"@a=b PRIVMSG x :y",
    "a ctcp that is not closed": b"\x01ACTION x", "a ctcp of nothing": b"\x01\x01",
    "ctcp quoting": b"\x01ACTION \x10n\x01", "colours": b"\x0399,99x\x03", "hex colours": b"\x04ff0000,00ff00x",
}

LENGTHS = [
    row("no line", b"", ""), row("empty lines", b"\r\n\r\n\n\n\r\r\r\n", ""),
    row("a line of spaces", b"     \r\n", ""), row("a colon", b":\r\n", ""),
    row("a source alone", b":source\r\n", ""), row("an at sign", b"@\r\n", ""),
    row("tags alone", b"@a=b\r\n", ""), row("tags and spaces", b"@a=b     \r\n", ""),
    row("tags, source, nothing", b"@a=b :c \r\n", ""),
    row("510 bytes", b"PING :" + b"x" * 504 + b"\r\n", "PONG"),
    row("511 bytes", b"PING :" + b"x" * 505 + b"\r\n", "417"),
    row("512 bytes", b"PING :" + b"x" * 506 + b"\r\n", "417"),
    row("513 bytes", b"PING :" + b"x" * 507 + b"\r\n", "417"),
    row("4096 bytes", b"PING :" + b"x" * 4090 + b"\r\n", "417"),
    row("16 KiB", b"PING :" + b"x" * 16378 + b"\r\n", "417 ERROR", ends=True, seen="QUIT"),
    row("510 bytes of command", b"X" * 510 + b"\r\n", "421"),
    row("a long line, then a short one", b"PING :" + b"x" * 600 + b"\r\nPING y\r\n", "417 PONG"),
    row("a long line ended by CR", b"PING :" + b"x" * 600 + b"\rPING y\r\n", "417 PONG"),
    row("a long line with NUL", b"PING :" + b"x\0" * 600 + b"\r\n", "417"),
    row("two long lines", (b"X" * 700 + b"\r\n") * 2, "417 417"),
    row("a NUL", b"\0\r\n", "FAIL"), row("NUL in a command", b"PI\0NG x\r\n", "FAIL"),
    row("NUL in a text", b"PRIVMSG {room} :a\0b\r\n", "FAIL"), row("NUL at the end", b"PING x\0\r\n", "FAIL"),
    row("CR in a text", b"PRIVMSG {room} :a\rFROBNICATE\r\n", "421", seen="PRIVMSG"),
    row("LF in a text", b"PRIVMSG {room} :a\nFROBNICATE\r\n", "421", seen="PRIVMSG"),
    row("LF CR", b"PING x\n\rPING y\n\r", "PONG PONG"),
    row("CR CR LF", b"PING x\r\r\n", "PONG"),
    row("a hundred short lines", b"PING x\r\n" * 100, "PONG+"),
    # A text, as on other servers: what is empty is a matter of bytes, not of looks.
    row("a text of spaces alone", b"PRIVMSG {room} :   \r\n", "", seen="PRIVMSG"),
    row("20 parameters", b"PING" + b" x" * 20 + b"\r\n", "PONG"),
    row("a letter of STATS that is a character", "STATS \u65e5\u672c\r\n", "(481 219|219)"),
    row("250 parameters", b"PING" + b" x" * 250 + b"\r\n", "PONG"),
    row("tabs for spaces", b"PING\tx\r\n", "421"), row("a numeric", b"001 x :y\r\n", "421"),
    row("a number of four digits", b"0001 x\r\n", "421"), row("a command of signs", b"!@#$ x\r\n", "421"),
    row("a command that is not UTF-8", b"\xff\xfe x\r\n", "FAIL"),
    row("a command in Cyrillic", "\u0420ING x\r\n", "421"),
    row("telnet options", b"\xff\xfb\x01\xff\xfd\x03PING x\r\n", "(FAIL|PONG|421)"),
    row("a TLS hello", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n", "(|FAIL|421)"),
    row("an HTTP request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "421 421"),
]

TAGS = [
    row("4094 bytes of tags", b"@+v=" + b"v" * 4091 + b" PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("4095 bytes of tags", b"@+v=" + b"v" * 4092 + b" PRIVMSG {room} :x\r\n", "417"),
    row("8191 bytes of tags", b"@+v=" + b"v" * 8188 + b" PRIVMSG {room} :x\r\n", "417"),
    row("tags without end", b"@" + b"a;" * 5000 + b"\r\n", "417"),
    row("4094 bytes that escape to twice as much", b"@+v=" + b"\\:" * 2045 + b" PRIVMSG {room} :x\r\n", "",
        seen="PRIVMSG"),
    row("a thousand tags", b"@" + b";".join(b"+%d" % i for i in range(800)) + b" PRIVMSG {room} :x\r\n", "",
        seen="PRIVMSG"),
    row("the same tag 500 times", b"@" + b";".join([b"+a=b"] * 500) + b" PRIVMSG {room} :x\r\n", "",
        seen="PRIVMSG"),
    row("empty tags", b"@;;;;; PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("a tag without a name", b"@=x PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("a plus alone", b"@+ PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("two pluses", b"@++a=b PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("a value with signs of equality", b"@+a=b=c=d PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("a backslash at the end", b"@+a=b\\ PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("escaped line ends", b"@+a=x\\r\\nQUIT PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("an unescaped NUL", b"@+a=\0 PRIVMSG {room} :x\r\n", "FAIL"),
    row("tags that are not UTF-8", b"@+a=\xff PRIVMSG {room} :x\r\n", "FAIL"),
    row("control characters in a value", b"@+a=\x01\x02\x1b PRIVMSG {room} :x\r\n", "", seen="PRIVMSG"),
    row("names of the server's tags", b"@msgid=x;time=y;account=z;bot PRIVMSG {room} :x\r\n", "",
        seen="PRIVMSG"),
    row("a label of 65 bytes", b"@label=" + b"l" * 65 + b" PING x\r\n", "PONG"),
    row("a label of nothing", b"@label= PING x\r\n", "PONG"),
    row("a label that is not UTF-8", b"@label=\xff PING x\r\n", "FAIL"),
    row("a label with line ends", b"@label=a\\r\\nb PING x\r\n", "PONG"),
    row("a TAGMSG without tags", b"TAGMSG {room}\r\n", "(|461|412)", seen="TAGMSG?"),
    row("a batch that was not opened", b"@batch=nope PRIVMSG {room} :x\r\n" * 3, "FAIL"),
    row("batches without end", b"".join(b"BATCH +%d draft/multiline {room}\r\n" % i for i in range(50)), "FAIL+"),
    row("a batch in a batch", b"BATCH +a draft/multiline {room}\r\n@batch=a BATCH +b draft/multiline {room}\r\n"
        b"BATCH -b\r\nBATCH -a\r\n", "FAIL+"),
    row("QUIT within a batch", b"BATCH +a draft/multiline {room}\r\n@batch=a QUIT\r\nBATCH -a\r\n", "FAIL+"),
    row("a batch name of 300 bytes", b"BATCH +" + b"n" * 300 + b" draft/multiline {room}\r\n", "FAIL?"),
    row("a batch without a target", b"BATCH +a draft/multiline\r\n", "(FAIL|461)"),
    row("a batch with an empty name", b"BATCH + draft/multiline {room}\r\n", "FAIL"),
]

CAPABILITIES = [
    row("CAP REQ of 100", "CAP REQ :" + " ".join(f"c{i}" for i in range(100)) + "\r\n", "CAP"),
    row("CAP REQ of 8 KiB", "CAP REQ :" + "x " * 4096 + "\r\n", "417"),
    row("CAP REQ of one 400 times", "CAP REQ :" + "batch " * 80 + "\r\n", "CAP"),
    row("CAP REQ on and off", b"CAP REQ :batch -batch batch -batch\r\n", "CAP"),
    row("CAP REQ of minuses", b"CAP REQ :- -- --- -=\r\n", "CAP"),
    row("CAP REQ with values", b"CAP REQ :batch=1 sasl=PLAIN\r\n", "CAP"),
    row("CAP REQ of spaces", b"CAP REQ :        \r\n", "CAP"),
    row("CAP REQ without a list", b"CAP REQ\r\n", "(CAP|461|410)"),
    row("CAP REQ with tildes", b"CAP REQ :~batch !batch\r\n", "CAP"),
    row("CAP LS of a huge version", b"CAP LS 99999999999999999999\r\n", "CAP+"),
    row("CAP LS of a negative version", b"CAP LS -302\r\n", "CAP"),
    row("CAP LS of words", b"CAP LS x y z\r\n", "CAP"), row("CAP LIST", b"CAP LIST\r\n", "CAP+"),
    row("CAP END again", b"CAP END\r\nCAP END\r\n", ""), row("CAP of a server", b"CAP ACK :batch\r\n", "410"),
    row("CAP NAK", b"CAP NAK :batch\r\n", "410"), row("CAP NEW", b"CAP NEW :x\r\n", "410"),
    row("CAP DEL", b"CAP DEL :x\r\n", "410"), row("CAP CLEAR", b"CAP CLEAR\r\n", "410"),
    row("CAP of 400 bytes", b"CAP " + b"X" * 400 + b"\r\n", "410"), row("CAP of nothing", b"CAP :\r\n", "410"),
    row("a hundred CAP LS", b"CAP LS 302\r\n" * 100, "CAP+"),
]

STARS = b"*a" * 100
MASKS = [
    row("WHO of a mask bomb", b"WHO " + STARS + b"\r\n", "315"),
    row("LIST of a mask bomb", b"LIST " + STARS + b"\r\n", "321? 323"),
    row("a ban bomb", b"MODE {room} +b " + STARS + b"!" + STARS + b"@x\r\n", "(MODE|696|)", seen="MODE?"),
    row("a ban of stars", b"MODE {room} +b " + b"*" * 200 + b"\r\n", "(MODE|696|)", seen="MODE?"),
    row("a ban of questions", b"MODE {room} +b " + b"?" * 200 + b"\r\n", "(MODE|696|)", seen="MODE?"),
    row("a ban of backslashes", b"MODE {room} +b \\\\\\*!*@*\r\n", "MODE", seen="MODE"),
    row("a ban of exclamation marks", b"MODE {room} +b !!!!@@@@\r\n", "(MODE|696|)", seen="MODE?"),
    row("a ban of nothing", b"MODE {room} +b :\r\n", "(368|696|461|)"),
    row("a ban with a space", b"MODE {room} +b :a b\r\n", "(MODE|696|)", seen="MODE?"),
    row("a ban with a colon", b"MODE {room} +b ::x\r\n", "(MODE|696|)", seen="MODE?"),
    row("a ban of an extended ban within one", b"MODE {room} +b m:m:m:m:x\r\n", "(MODE|696|)", seen="MODE?"),
    row("an unknown extended ban", b"MODE {room} +b ~Z:x\r\n", "(MODE|696|)", seen="MODE?"),
    row("an extended ban of nothing", b"MODE {room} +b m:\r\n", "(MODE|696|)", seen="MODE?"),
    row("an extended ban without a letter", b"MODE {room} +b ~\r\n", "(MODE|696|)", seen="MODE?"),
    row("400 mode letters", b"MODE {room} +" + b"bnt" * 133 + b"\r\n", "368* MODE?", seen="MODE?"),
    row("400 signs", b"MODE {room} " + b"+-" * 200 + b"\r\n", "(|324 329)"),
    row("all letters", b"MODE {room} +" + bytes(range(65, 91)) + bytes(range(97, 123)) + b"\r\n",
        "(472|461|696|346|347|348|349|367|368|MODE)+", seen="MODE?"),
    row("modes without a sign", b"MODE {room} im\r\n", "MODE", seen="MODE"),
    row("a mode that is no letter", b"MODE {room} +\x01\x02\r\n", "472+"),
    row("a mode in Cyrillic", "MODE {room} +\u0438\r\n", "472+"),
    row("a limit beyond 64 bits", b"MODE {room} +l 99999999999999999999\r\n", "(MODE|696)", seen="MODE?"),
    row("a limit of letters", b"MODE {room} +l 0x10\r\n", "696"),
    row("a key of 300 bytes", b"MODE {room} +k " + b"k" * 300 + b"\r\n", "(MODE|696|525)", seen="MODE?"),
    row("a key with a comma", b"MODE {room} +k a,b\r\n", "(696|525)"),
    row("operator status for a mask", b"MODE {room} +o *\r\n", "(401|441)"),
    row("operator status 20 times", b"MODE {room} +" + b"o" * 20 + b" {nick}" * 20 + b"\r\n", "(401|441|696)*"),
    row("5,000 channels", b"JOIN " + b"#a," * 5000 + b"\r\n", "417"),
    row("5,000 nicks", b"PRIVMSG " + b"a," * 5000 + b" :x\r\n", "417"),
    row("100 commas", b"PRIVMSG " + b"," * 100 + b" :x\r\n", "(401|411|407)*"),
    row("the same nick 100 times", b"PRIVMSG " + b"{witness}," * 20 + b"x :x\r\n", "407 401?|401|407|417|(407|401)*",
        seen="PRIVMSG*"),
    row("commas in JOIN", b"JOIN ,,,,\r\n", "(461|403|476)*"), row("commas in PART", b"PART ,,,\r\n", "(461|403)*"),
    row("KICK of commas", b"KICK {room} ,,,\r\n", "(401|441|461)*"),
    row("100 monitored", b"MONITOR + " + b",".join(b"n%d" % i for i in range(90)) + b"\r\n", "731+"),
    row("WHOX of all letters", b"WHO {room} %" + bytes(range(97, 123)) + b",1\r\n", "(352|354)+ 315"),
    row("WHOX of a long token", b"WHO {room} %t," + b"9" * 300 + b"\r\n", "(352|354)+ 315"),
    row("WHOWAS of a huge count", b"WHOWAS x 99999999999999999999\r\n", "406 369"),
    row("CHATHISTORY of a huge limit", b"CHATHISTORY LATEST {room} * 99999999999999999999\r\n", "(FAIL|BATCH BATCH)"),
    row("CHATHISTORY of a huge id", b"CHATHISTORY BEFORE {room} msgid=m99999999999999999999 5\r\n",
        "(FAIL|BATCH BATCH)"),
    row("CHATHISTORY of an odd id", b"CHATHISTORY BEFORE {room} msgid=../../x%n 5\r\n", "(FAIL|BATCH BATCH)"),
    row("CHATHISTORY of the year 9999", b"CHATHISTORY BEFORE {room} timestamp=9999-12-31T23:59:59.999Z 5\r\n",
        "BATCH BATCH"),
    row("CHATHISTORY of month 13", b"CHATHISTORY BEFORE {room} timestamp=2024-13-01T00:00:00.000Z 5\r\n", "FAIL"),
    row("CHATHISTORY of a server mask", b"CHATHISTORY LATEST $* * 5\r\n", "FAIL"),
    row("a TAGMSG to 20 channels", b"@+a=b TAGMSG " + b"#x," * 20 + b"#y\r\n", "(401|403|404|407)+"),
]

EARLY = [
    row("nothing but QUIT", b"QUIT\r\n", "ERROR", ends=True, fresh=True),
    row("lines after QUIT", b"QUIT\r\nNICK x\r\nUSER a 0 * :b\r\n", "ERROR", ends=True, fresh=True),
    row("200 nicks", b"".join(b"NICK n%d\r\n" % i for i in range(200)), "", fresh=True),
    row("CAP and nothing", b"CAP LS 302\r\n", "CAP+", fresh=True),
    row("a nick of control characters", b"NICK a\x01b\r\nUSER a 0 * :b\r\n", "432", fresh=True),
    row("a nick of a wide space", "NICK a\u3000b\r\nUSER a 0 * :b\r\n", "432", fresh=True),
    row("a nick of a zero width space", "NICK a\u200bb\r\nUSER a 0 * :b\r\n", "432", fresh=True),
    row("a nick of a right to left override", "NICK \u202eabc\r\nUSER a 0 * :b\r\n", "432", fresh=True),
    row("a nick of combining marks", "NICK \u0301\u0301\r\nUSER a 0 * :b\r\n", "432", fresh=True),
    row("a nick of 400 bytes", b"NICK " + b"n" * 400 + b"\r\nUSER a 0 * :b\r\n", "432", fresh=True),
    row("a nick of the server", b"NICK irc.example\r\nUSER a 0 * :b\r\n", "(432|433)", fresh=True),
    row("a user name of 400 bytes", b"USER " + b"u" * 400 + b" 0 * :x\r\n", "", fresh=True),
    row("a user name of signs", b"USER !@#$ 0 * :x\r\n", "468?", fresh=True),
    row("a real name of control characters", b"USER u 0 * :\x01\x02\x1b[0m\r\n", "", fresh=True),
    row("WEBIRC", b"WEBIRC x y z 1.2.3.4\r\n", "451", fresh=True),
    row("SERVER", b"SERVER irc.evil 1 :x\r\n", "451", fresh=True),
    row("NJOIN", b"NJOIN #x :@a\r\n", "451", fresh=True), row("SQUIT", b"SQUIT x :y\r\n", "451", fresh=True),
    row("AUTHENTICATE", b"AUTHENTICATE PLAIN\r\n", "(451|421|904|908|410)", fresh=True),
    row("STARTTLS", b"STARTTLS\r\n", "(451|691)", fresh=True),
    row("OPER early", b"OPER boss secret\r\n", "451", fresh=True),
    row("a long line early", b"X" * 5000 + b"\r\n", "417", fresh=True),
    row("not UTF-8 early", b"NICK \xff\xfe\r\n", "(FAIL|432)", fresh=True),
    row("QUIT of 400 bytes", b"QUIT :" + b"q" * 400 + b"\r\n", "ERROR", ends=True, seen="QUIT"),
    row("QUIT, then talk", b"QUIT\r\nPRIVMSG {room} :ghost\r\n", "ERROR", ends=True, seen="QUIT"),
    row("KILL of oneself", b"KILL {nick} :x\r\n", "481"), row("DIE", b"DIE\r\n", "421"),
    row("RESTART", b"RESTART\r\n", "421"), row("CONNECT", b"CONNECT x\r\n", "421"),
    row("SUMMON", b"SUMMON x\r\n", "(421|445)"), row("USERS", b"USERS\r\n", "(421|446)"),
    row("TRACE", b"TRACE\r\n", "(421|262|200 262|204 262|205 262)"), row("WHO of nothing", b"WHO\r\n", "(461|315)"),
]

ROWS = [refused(name, text) for name, text in NOT_UTF8.items()] + [
    said(name, text) for name, text in UTF8.items()] + LENGTHS + TAGS + CAPABILITIES + MASKS + EARLY


@pytest.mark.parametrize("one, byte_by_byte", table(ROWS))
def test_row(irc, one, byte_by_byte):
    """Hostile input: the answer of the table, and a witness who sees nothing wrong."""
    attempt(irc, one, byte_by_byte)


def test_an_unfinished_line_is_no_line(irc):
    """Modern IRC, Message Format: a line without its end is never carried out."""
    room, alice, bob = irc.together("alice", "bob")
    alice.send_bytes(f"PRIVMSG {room} :never ended".encode())
    alice.close()
    assert bob.expect("QUIT").nick == alice.nick
    assert bob.sync() == []


@pytest.mark.parametrize("at", range(5))
def test_a_character_of_four_bytes_in_two_pieces(irc, at):
    """UTF-8 across reads: cut at each byte."""
    room, alice, bob = irc.together("alice", "bob")
    data = f"PRIVMSG {room} :".encode()
    text = "\U0001f600".encode()
    alice.send_bytes(data + text[:at])
    alice.send_bytes(text[at:] + b"\r\n")
    alice.sync()
    assert bob.sync().one("PRIVMSG").text == "\U0001f600"


@pytest.mark.parametrize("kind", ["line", "tags"])
def test_a_line_without_end_costs_no_memory(serve, kind):
    """64 MiB without a line end: told once, then no more is heard; the server grows by less than a MiB."""
    irc = serve()
    alice = irc.user("alice", *CAPS)
    statm = f"/proc/{irc.server.process.pid}/statm"

    def resident():
        with open(statm, encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    piece = (b"@" if kind == "tags" else b"PRIVMSG x :") + b"x" * MIB
    alice.send_bytes(piece)
    before = resident()
    with contextlib.suppress(OSError):
        for _ in range(63):
            alice.send_bytes(b"x" * MIB)
    alice.expect("417")
    alice.expect("ERROR")
    assert resident() - before < MIB
    irc.user("bob").sync()
