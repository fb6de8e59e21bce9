# SPDX-License-Identifier: MIT
"""Hostile input, command by command: no parameters, empty ones, long ones, many, bytes that are no
text, NUL and CR within, before registration and after QUIT."""
import pytest

from hostile import attempt, row, table

# command: answers to it alone, to one empty parameter, to one of 400 bytes, to twenty parameters.
# "-" for what would end the connection or is a row of its own.
COMMANDS = {
    "PASS": ("462", "462", "462", "462"),
    "NICK": ("(431|461)", "(431|432)", "432", "(433|NICK)"),
    "USER": ("462", "462", "462", "462"),
    "CAP": ("(461|410)", "410", "410", "410"),
    "PING": ("(461|409)", "(409|PONG)", "PONG", "PONG"),
    "PONG": ("", "", "", ""),
    "OPER": ("461", "461", "461", "(464|491)"),
    "ERROR": ("421?", "421?", "421?", "421?"),
    "JOIN": ("461", "(461|403|476)", "(403|476|479)", "(403|476|479)"),
    "PART": ("461", "(461|403)", "(403|442)", "(403|442)"),
    "TOPIC": ("461", "(461|403)", "403", "403"),
    "NAMES": ("353* 366", "353* 366", "366", "366"),
    "LIST": ("321? 322* 323", "321? 322* 323", "321? 323", "321? 323"),
    "INVITE": ("337", "(337|461)", "(461|336* 337)", "(401|403|442)"),
    "KICK": ("461", "461", "461", "403"),
    "MODE": ("461", "(461|401|403|502)", "(401|403|502)", "(401|403|502)"),
    "PRIVMSG": ("(411|461)", "(411|412|461)", "(412|461|401)", "401"),
    "NOTICE": ("", "", "", ""),
    "TAGMSG": ("(411|461)", "(411|461|401)", "(401|403)", "(401|403)"),
    "WHO": ("(461|352* 315)", "(461|352* 315)", "315", "315"),
    "WHOIS": ("(431|461)", "(431|401 318)", "401 318", "(402|401 318)"),
    "WHOWAS": ("(431|461)", "(431|406 369)", "406 369", "(402|406 369|(314 312)+ 369)"),
    "USERHOST": ("461", "302", "302", "302"),
    "AWAY": ("305", "305", "306", "306"),
    "SETNAME": ("(461|FAIL)", "(461|FAIL)", "FAIL", "SETNAME"),
    "MONITOR": ("461", "(461|400)", "(461|400)", "(461|400)"),
    "ISON": ("461", "303", "303", "303"),
    "LUSERS": ("(25\\d|26\\d)+", "(402|(25\\d|26\\d)+)", "(402|(25\\d|26\\d)+)", "(402|(25\\d|26\\d)+)"),
    "MOTD": ("422", "(402|422)", "402", "402"),
    "INFO": ("371+ 374", "(402|371+ 374)", "402", "402"),
    "TIME": ("391", "(402|391)", "402", "402"),
    "VERSION": ("351 005*", "(402|351 005*)", "402", "402"),
    "ADMIN": ("(423|256 257 258 259)", "(402|423|256 257 258 259)", "402", "402"),
    "LINKS": ("364 365", "364* 365", "364* 365", "364* 365"),
    "STATS": ("(461|219)", "(461|481? 219)", "481? 219", "(481? 219|402)"),
    "HELP": ("704 705* 706", "(524|704 705* 706)", "524", "524"),
    "HELPOP": ("704 705* 706", "(524|704 705* 706)", "524", "524"),
    "KILL": ("(461|481)", "(461|481)", "(461|481)", "481"),
    "WALLOPS": ("(461|481)", "(461|481)", "481", "481"),
    "REHASH": ("481", "481", "481", "481"),
    "CHATHISTORY": ("FAIL", "FAIL", "FAIL", "FAIL"),
    "MARKREAD": ("FAIL", "FAIL", "(FAIL|MARKREAD)", "FAIL"),
    "BATCH": ("(FAIL|461)", "(FAIL|461)", "(FAIL|461)", "(FAIL|461)"),
    "REDACT": ("(FAIL|461)", "(FAIL|461)", "(FAIL|461)", "(FAIL|401|403|442)"),
    "RENAME": ("461", "461", "461", "(403|FAIL)"),
    "FROBNICATE": ("421", "421", "421", "421"),
}

# What may be said before registration; all else is 451.
EARLY = {
    "PASS": "461", "NICK": "(431|461)", "USER": "461", "CAP": "(461|410)", "PING": "(461|409)", "PONG": "",
    "ERROR": "(451|421)?",
}


def rows():
    for name, (alone, empty, long, many) in COMMANDS.items():
        command = name.encode()
        yield row(f"{name} alone", command + b"\r\n", alone)
        yield row(f"{name} of nothing", command + b" :\r\n", empty)
        yield row(f"{name} of 400 bytes", command + b" " + b"a" * 400 + b"\r\n", long)
        yield row(f"{name} of twenty", command + b" a" * 20 + b"\r\n", many, seen="NICK?" if name == "NICK" else "")
        yield row(f"{name} of no text", command + b" \xff\xfe \x80\r\n", "FAIL?" if name == "NOTICE" else "FAIL")
        yield row(f"{name} with NUL", command + b" a\0b c\r\n", "FAIL")
        yield row(f"{name} and CR", command + b"\rFROBNICATE\r\n", f"{alone} 421")
        yield row(f"{name} early", command + b"\r\n", EARLY.get(name, "451"), fresh=True)
        yield row(f"{name} after QUIT", b"QUIT\r\n" + command + b" {room} :x\r\n", "ERROR", ends=True, seen="QUIT")
        yield row(f"{name} of 5,000", command + b" " + b"a," * 5000 + b"\r\n", "417")


@pytest.mark.parametrize("one, byte_by_byte", table(list(rows())))
def test_row(irc, one, byte_by_byte):
    """Hostile input: the answer of the table, and a witness who sees nothing wrong."""
    attempt(irc, one, byte_by_byte)
