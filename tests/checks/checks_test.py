# SPDX-License-Identifier: MIT
"""Each check refuses a bad sample and takes a good one: a check that cannot fail checks nothing."""
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import docs
import doxygen
import headers
import layers
import man
import man_codes
import man_examples
import man_functions
import symbols
import summary
import texts

CC = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
CXX = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


@pytest.fixture
def tree(tmp_path):
    """A small project that keeps every rule, and write(path, text) to change it."""

    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    write("include/partyline/sock.h", "#include <stddef.h>\n")
    write("include/partyline/loop.h", "#include <partyline/sock.h>\n")
    write("lib/sock/sock.c", "#include <partyline/sock.h>\n")
    write("lib/sock/sock_inner.h", "\n")
    write("lib/loop/loop.c", '#include <partyline/loop.h>\n#include "sock/sock_inner.h"\n')
    write("chat/wire/line.h", "\n")
    write("chat/core/hub.h", "\n")
    write("chat/front/front.c", '#include <partyline/loop.h>\n#include "wire/line.h"\n')
    return tmp_path, write


def test_layers_take_a_tree_that_keeps_them(tree):
    root, _ = tree
    assert layers.check(root) == []


@pytest.mark.parametrize(
    "path, text, word",
    [
        ("lib/sock/up.c", "#include <partyline/loop.h>\n", "not below lib/sock"),
        ("lib/sock/up.c", '#include "loop/inner.h"\n', "no file"),
        ("include/partyline/sock.h", "#include <partyline/loop.h>\n", "not below lib/sock"),
        ("chat/wire/line.c", '#include "core/hub.h"\n', "not below chat/wire"),
        ("chat/core/hub.c", '#include "wire/line.h"\n', "not below chat/core"),
        ("chat/core/room.h", '  #  include "../wire/line.h"\n', "not below chat/core"),
        ("chat/front/inner.c", '#include "../../lib/sock/sock_inner.h"\n', "only <partyline/"),
        ("lib/sock/up.c", '#include "../../chat/core/hub.h"\n', "not below lib/sock"),
        ("chat/core/hub_test.c", '#include "wire/line.h"\n', "not below chat/core"),
        ("chat/core/db.c", "#include <sqlite3.h>\n", "chat/log only"),
        ("chat/core/none.c", "#include <partyline/nowhere.h>\n", "does not exist"),
        ("include/partyline/orphan.h", "\n", "belongs to no layer"),
    ],
)
def test_layers_refuse(tree, path, text, word):
    root, write = tree
    write(path, text)
    wrong = layers.check(root)
    assert len(wrong) == 1
    assert word in wrong[0]


def compile_object(tmp_path, name, text, *flags):
    source = tmp_path / f"{name}.c"
    source.write_text(text)
    output = tmp_path / f"{name}.o"
    subprocess.run([CC, "-c", *flags, "-o", output, source], check=True)
    return output


def archive(tmp_path, name, text):
    output = tmp_path / f"lib{name}.a"
    subprocess.run(["ar", "rcs", output, compile_object(tmp_path, name, text)], check=True)
    return str(output)


def test_pure_takes_memory_functions_and_what_the_layer_below_has(tmp_path):
    below = archive(tmp_path, "below", "#include <unistd.h>\nvoid xdie(void) { _exit(1); }\n")
    pure = archive(
        tmp_path, "pure",
        "#include <string.h>\nvoid xdie(void);\n"
        "size_t f(const char *s) { if (!s) { xdie(); } return strlen(s); }\n",
    )
    assert symbols.check_pure([pure, below]) == []
    assert symbols.check_pure([pure]) == [f"{pure}: needs xdie"]


@pytest.mark.parametrize(
    "call",
    ["time(0)", "getpid()", "rand()", "printf(s)", "fopen(s, s) != 0", "read(0, 0, 0) != 0",
     "system(s)", "getenv(s) != 0", "sleep(1)"],
)
def test_pure_refuses_what_may_enter_the_kernel(tmp_path, call):
    text = (
        "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include <unistd.h>\n"
        f"int f(const char *s);\nint f(const char *s) {{ return s != 0 && (int)({call}); }}\n"
    )
    wrong = symbols.check_pure([archive(tmp_path, "impure", text)])
    assert len(wrong) == 1 and "needs" in wrong[0]


def test_pure_refuses_an_archive_without_functions(tmp_path):
    assert symbols.check_pure([archive(tmp_path, "empty", "int f(void);\n")]) != []


def shared_library(tmp_path, text, version="PARTYLINE_0 { global: *; };\n"):
    output = tmp_path / "libsample.so"
    source = tmp_path / "sample.c"
    source.write_text(text)
    versions = tmp_path / "sample.map"
    versions.write_text(version)
    subprocess.run([CC, "-shared", "-fPIC", f"-Wl,--version-script={versions}", "-o", output, source], check=True)
    return str(output)


def public_headers(tmp_path, *names):
    folder = tmp_path / "partyline"
    folder.mkdir()
    lines = [f"PARTY_API PARTY_MUST_USE struct x *\n{name}(void);\n" for name in names]
    (folder / "sample.h").write_text("".join(lines))
    return tmp_path


ONE = "int party_one(void) { return 1; }\n"


def test_exports_take_what_the_headers_declare(tmp_path):
    assert symbols.check_exports(shared_library(tmp_path, ONE), public_headers(tmp_path, "party_one")) == []


@pytest.mark.parametrize("name", ["helper", "party__inner", "partyline_x", "PARTY_X"])
def test_exports_refuse_other_names(tmp_path, name):
    text = f"{ONE}int {name}(void) {{ return 2; }}\n"
    wrong = symbols.check_exports(shared_library(tmp_path, text), public_headers(tmp_path, "party_one"))
    assert [line.split()[-1] for line in wrong] == [name]


def test_exports_refuse_what_no_header_declares_and_miss_what_one_does(tmp_path):
    wrong = symbols.check_exports(shared_library(tmp_path, ONE), public_headers(tmp_path, "party_two"))
    assert ["party_one is in no public header" in wrong[0], "lacks party_two" in wrong[1]] == [True, True]


def test_exports_refuse_a_name_without_a_version(tmp_path):
    library = shared_library(tmp_path, ONE, "{ global: *; };\n")
    wrong = symbols.check_exports(library, public_headers(tmp_path, "party_one"))
    assert len(wrong) == 1 and wrong[0].endswith("has no version")


def test_exports_refuse_a_library_that_exports_nothing(tmp_path):
    assert symbols.check_exports(shared_library(tmp_path, "static int x;\n"), public_headers(tmp_path)) != []


@pytest.mark.skipif(shutil.which("doxygen") is None, reason="doxygen is not installed")
def test_doxygen_refuses_a_broken_contract(tmp_path):
    (tmp_path / "docs").mkdir()
    config = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "Doxyfile").read_text()
    (tmp_path / "docs" / "Doxyfile").write_text(config)
    folder = tmp_path / "include" / "partyline"
    folder.mkdir(parents=True)
    (folder / "sample.h").write_text("/** Fine. */\nint party_one(void);\n")
    assert doxygen.run(tmp_path) == []
    (folder / "sample.h").write_text("/** \\nosuchcommand */\nint party_one(void);\n")
    assert doxygen.run(tmp_path) != []


@pytest.mark.parametrize("command", [[CC, "-std=c17"], [CXX, "-std=c++17"]])
def test_headers_refuse_one_that_leans_on_others(tmp_path, command):
    (tmp_path / "good.h").write_text("#ifndef G\n#define G\n#include <stddef.h>\nsize_t f(int a);\n#endif\n")
    wrong, count = headers.check(tmp_path, command)
    assert (wrong, count) == ([], 1)
    (tmp_path / "leans.h").write_text("#ifndef L\n#define L\nsize_t f(int a);\n#endif\n")
    (tmp_path / "unguarded.h").write_text("struct twice { int a; };\n")
    wrong, count = headers.check(tmp_path, command)
    assert count == 3
    assert [text.splitlines()[0] for text in wrong] == ["leans.h:", "unguarded.h:"]


def test_headers_refuse_what_cxx_cannot_read(tmp_path):
    (tmp_path / "word.h").write_text("#ifndef W\n#define W\nint f(int class);\n#endif\n")
    assert headers.check(tmp_path, [CC, "-std=c17"])[0] == []
    assert len(headers.check(tmp_path, [CXX, "-std=c++17"])[0]) == 1


def test_links_upward_are_refused_by_the_linker(tmp_path):
    """What the link_ programs rest on: a whole archive with an open end does not link."""
    main = compile_object(tmp_path, "main", "int main(void) { return 0; }\n")
    low = archive(tmp_path, "low", "void party_up(void);\nvoid low(void) { party_up(); }\n")
    high = archive(tmp_path, "high", "void party_up(void) { }\n")
    link = [CC, "-o", tmp_path / "linked", main, "-Wl,--whole-archive", low, "-Wl,--no-whole-archive"]
    assert subprocess.run([*link, high], check=False).returncode == 0
    refused = subprocess.run(link, check=False, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "party_up" in refused.stderr


GOOD = f"/* {texts.LICENCE} */\nint a;\n"


@pytest.mark.parametrize(
    "text, word",
    [
        ("int a;\n", "0 licence lines"),
        (GOOD + GOOD, "2 licence lines"),
        ("\n\n\n" + GOOD, "not at the top"),
        (GOOD + "/* TO" + "DO: later */\n", "unfinished"),
        (GOOD + "/* FIX" + "ME */\n", "unfinished"),
    ],
)
def test_texts_refuse(text, word):
    assert list(texts.check_text("a.c", GOOD)) == []
    wrong = list(texts.check_text("a.c", text))
    assert len(wrong) == 1
    assert word in wrong[0]


def test_texts_refuse_bytes_that_are_no_utf8():
    wrong = texts.check_bytes("a.c", GOOD.encode() + b"/* caf\xe9 */\n")
    assert len(wrong) == 1
    assert "not UTF-8" in wrong[0]


def test_texts_are_those_of_the_source_alone(tmp_path):
    for path in ("a.c", "sub/b.py", "build/c.c", "build-x/d.c", "e.png", "meson.build"):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
    found = [path.as_posix() for path in texts.source_files(tmp_path)]
    assert found == ["a.c", "meson.build", "sub/b.py"]


def meson_line(name, result, stdout=""):
    return summary.json.dumps({"name": name, "result": result, "stdout": stdout}) + "\n"


def test_summary_counts_each_tap_line_and_each_other_test():
    tally = summary.Tally()
    summary.add_meson(
        tally,
        meson_line("unit", "OK", "1..3\nok 1 - one\nok 2 - two\nok 3 - three # SKIP no ring\nnot ok 4 # SKIP four\n")
        + meson_line("layers", "OK", "12 files\n")
        + meson_line("ring", "SKIP", "1..0 # SKIP no io_uring\n"),
    )
    assert tally.passed == ["unit: one", "unit: two", "layers"]
    assert tally.skipped == ["unit: three", "unit: four", "ring"]
    assert tally.failed == []


def test_summary_counts_failed_lines_and_programs_that_broke_off():
    tally = summary.Tally()
    summary.add_meson(
        tally,
        meson_line("unit", "FAIL", "1..2\nnot ok 1 - one\nok 2 - two\n")
        + meson_line("crash", "ERROR", "1..9\nok 1 - first\n")
        + meson_line("slow", "TIMEOUT"),
    )
    assert tally.passed == ["unit: two", "crash: first"]
    assert tally.failed == ["unit: one", "crash: ERROR", "slow: TIMEOUT"]


def test_summary_repeats_the_notes_of_a_test():
    tally = summary.Tally()
    summary.add_meson(tally, meson_line("program", "OK", "note: 3 of 4\nother\nnote: 5\n")
                      + meson_line("quiet", "OK", "a note: no\n"))
    assert tally.notes == ["3 of 4", "5"]
    assert tally.passed == ["program", "quiet"]


def test_summary_reads_pytest_and_counts_a_failed_clean_up_once():
    tally = summary.Tally()
    summary.add_pytest(
        tally,
        "<testsuites><testsuite>"
        "<testcase classname='t' name='good'/>"
        "<testcase classname='t' name='bad'><failure/></testcase>"
        "<testcase classname='t' name='bad'><error/></testcase>"
        "<testcase classname='t' name='later'><skipped/></testcase>"
        "</testsuite></testsuites>",
    )
    assert (tally.passed, tally.failed, tally.skipped) == (["t.good"], ["t.bad"], ["t.later"])


def test_summary_ends_with_the_counts_and_fails_without_results(tmp_path, capsys):
    log = tmp_path / "testlog.json"
    log.write_text(meson_line("layers", "OK"))
    xml = tmp_path / "e2e.xml"
    arguments = ["--status", "0", str(log), str(xml)]
    assert summary.main(arguments) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"
    xml.write_text("<testsuites><testcase classname='t' name='good'/></testsuites>")
    assert summary.main(arguments) == 0
    assert capsys.readouterr().out == "2 passed, 0 failed\n"
    assert summary.main(["--status", "3", str(log), str(xml)]) == 1


PAGE = f"""\
.\\" {texts.LICENCE}
.Dd November 20, 2026
.Dt SAMPLE 1
.Os
.Sh NAME
.Nm sample
.Nd a page
.Sh DESCRIPTION
It samples.
"""


@pytest.mark.parametrize(
    "name, text, word",
    [
        ("sample.1", PAGE, None),
        ("other.1", PAGE, "title"),
        ("sample.1", PAGE.replace("DESCRIPTION", "WORDS"), "DESCRIPTION"),
        ("unlisted.1", PAGE.replace("SAMPLE", "UNLISTED"), "meson.build"),
    ],
)
def test_man_pages_are_refused(tmp_path, name, text, word):
    (tmp_path / name).write_text(text)
    wrong, count = man.check(tmp_path, {"sample.1", "other.1"})
    assert count == 1
    assert [line for line in wrong if word is None or word not in line] == []
    assert len(wrong) == (0 if word is None else 1)


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_man_pages_that_mandoc_warns_of_are_refused(tmp_path):
    (tmp_path / "sample.1").write_text(PAGE + ".Bl -tag\n.It x\n")
    assert man.check(tmp_path, {"sample.1"})[0] != []


DOCUMENT = """# A Page

See [the other](sub/other.md#its-heading), [this](#a-page), [far away](https://example.org/no) and ![](sub/picture.svg).

```sh
./run --listen any://127.0.0.1:0   # "[no](link)" is code
printf 'x' | partyline chat --plain host && sudo partyline ctl rooms
```
"""
HELP = {"serve": "usage: partyline serve [--listen URL]...", "chat": "  --plain, or [--nick NAME]", "ctl": "[--data DIR]"}


@pytest.fixture
def documents(tmp_path):
    """Looks at a folder with one more document: its faults."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/other.md").write_text("# Its heading\n")
    (tmp_path / "sub/picture.svg").write_text("")

    def look(text):
        (tmp_path / "page.md").write_text(text)
        wrong, files, count = docs.check(tmp_path, HELP.get)
        assert (files, count) == (2, 3)
        return wrong

    return look


def test_documents_are_taken(documents):
    assert documents(DOCUMENT) == []


@pytest.mark.parametrize(
    "old, new, word",
    [
        ("sub/other.md#its", "sub/gone.md#its", "there is no sub/gone.md"),
        ("picture.svg", "gone.svg", "there is no sub/gone.svg"),
        ("#its-heading", "#another", "has no heading 'another'"),
        ("#a-page", "#b-page", "has no heading 'b-page'"),
        ("./run --listen", "./run --lissten", "serve does not know --lissten"),
        ("chat --plain", "chat --listen", "chat does not know --listen"),
        ("chat --plain", "chat --pla", "chat does not know --pla"),
        ("ctl rooms", "clt rooms", "there is no partyline clt"),
    ],
)
def test_documents_are_refused(documents, old, new, word):
    assert old in DOCUMENT
    wrong = documents(DOCUMENT.replace(old, new))
    assert len(wrong) == 1
    assert word in wrong[0]


EXAMPLE_PAGE = """.In partyline/sock.h
.Sh EXAMPLES
.Bd -literal -offset indent
{}.Ed
.Sh SEE ALSO
"""


@pytest.mark.parametrize(
    "example, count",
    [
        ('int r = sock == NULL;\nprintf("%d\\en", r);\n', 0),
        ("int main(void)\n{\n    return 0;\n}\n", 0),
        ("static int f(void)\n{\n    return 0;\n}\n", 0),
        ("int r = no_such_function(sock);\n", 1),
        ("int main(void)\n{\n    return x;\n}\n", 1),
    ],
)
def test_examples_that_do_not_compile_are_refused(tmp_path, example, count):
    headers_dir = tmp_path / "include/partyline"
    headers_dir.mkdir(parents=True)
    (headers_dir / "sock.h").write_text("struct party_sock;\n", encoding="utf-8")
    (headers_dir / "error.h").write_text("", encoding="utf-8")
    (tmp_path / "party_x.3").write_text(EXAMPLE_PAGE.format(example), encoding="utf-8")
    wrong, looked_at = man_examples.check(tmp_path, tmp_path / "include", [CC, "-std=c17"])
    assert (len(wrong), looked_at) == (count, 1)


FUNCTIONS_HEADER = """/* PARTY_API int party_x_gone(void); is history */
#define PARTY_X(a) \\
    party_x_macro(a);
struct party_x_ops {
    int (*on_data)(int fd);
};
typedef int (*party_x_fn)(int fd, void *user);
PARTY_API PARTY_MUST_USE int party_x_create(struct party_loop *loop,
                                            struct party_x **ret_x);
static inline const char *party_x_text(const struct party_x *x)
{
    return x->text;
}
"""
FUNCTIONS_PAGE = """.Sh NAME
.Nm party_x_create ,
.Nm party_x_text
.Nd a sample
.Sh SYNOPSIS
.In partyline/x.h
.Ft int
.Fn party_x_create "struct party_loop *loop" "struct party_x **ret_x"
.Ft const char *
.Fo party_x_text
.Fa "const struct party_x *x"
.Fc
.Sh DESCRIPTION
.Fn party_x_create
takes a
.Fn party_x_fn .
.Sh SEE ALSO
.Xr party_x 3
"""


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("", "", []),
        (".Nm party_x_create ,\n", "", ["party_x_create: is in the NAME of no page"]),
        (".Fo party_x_text\n", ".Fo text\n", ["party_x_text: is in the NAME of ['party_x.3'], the SYNOPSIS of no page"]),
        ("struct party_x **ret_x", "struct party_x *ret_x", ["party_x.3: has int party_x_create("]),
        (".Ft int", ".Ft void", ["party_x.3: has void party_x_create("]),
        ("takes a\n.Fn party_x_fn", "takes a\n.Fn party_x_gone", ["names party_x_gone, which no header declares"]),
        (".Xr party_x 3", ".Xr party_y 3", ["names party_y, which no header declares"]),
        ("takes a", "takes\n.It Fn party_x_text , Fn party_x_macro", ["names party_x_macro, which no header declares"]),
    ],
)
def test_pages_that_are_not_the_headers_functions_are_refused(tmp_path, old, new, words):
    (tmp_path / "x.h").write_text(FUNCTIONS_HEADER, encoding="utf-8")
    (tmp_path / "party_x.3").write_text(FUNCTIONS_PAGE.replace(old, new, 1) if old else FUNCTIONS_PAGE, encoding="utf-8")
    wrong, count = man_functions.check(tmp_path, tmp_path)
    assert count == 2
    assert [word in line for word, line in zip(words, wrong, strict=True)] == [True] * len(words)


def test_a_function_on_two_pages_is_refused(tmp_path):
    (tmp_path / "x.h").write_text(FUNCTIONS_HEADER, encoding="utf-8")
    for name in ("party_x.3", "party_y.3"):
        (tmp_path / name).write_text(FUNCTIONS_PAGE, encoding="utf-8")
    wrong, _ = man_functions.check(tmp_path, tmp_path)
    assert len(wrong) == 2
    assert "party_x_create: is in the NAME of ['party_x.3', 'party_y.3']" in wrong[0]


CODES_HEADER = """/** Returns: -ENOENT; not declared here. */
typedef int (*party_x_fn)(int fd);
/**
 * Makes one.
 * Returns: 0; -EPROTO, -errno of open(2); a PARTY_EGAI_ code; PARTY_ETIMEOUT.
 */
PARTY_API PARTY_MUST_USE int party_x_create(struct party_x **ret_x);
/** Both. Returns: -EBUSY. */
PARTY_API int party_x_start(struct party_x *x);
PARTY_API int party_x_stop(struct party_x *x);
/** Returns: -ERANGE. */
static inline int party_x_inline(int n)
{
    return n;
}
"""
CODES_PAGE = """.Sh SYNOPSIS
.Ft int
.Fn party_x_create "struct party_x **ret_x"
.Ft int
.Fn party_x_start "struct party_x *x"
.Ft int
.Fn party_x_stop "struct party_x *x"
.Ft int
.Fn party_x_inline "int n"
.Sh ERRORS
.Bl -tag -width Er
.It Er -EPROTO , ERANGE
.It Dv PARTY_EGAI_NONAME , PARTY_ETIMEOUT
.It Er -EBUSY
.El
.Sh EXAMPLES
none
"""


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("", "", []),
        ("-EPROTO", "-EPROTOTYPE", ["party_x.3: party_x_create lacks EPROTO, which x.h names"]),
        ("PARTY_ETIMEOUT", "ETIMEOUT", ["party_x_create lacks PARTY_ETIMEOUT,"]),
        ("PARTY_EGAI_NONAME", "PARTY_EH_NONAME", ["party_x_create lacks PARTY_EGAI_,"]),
        (", ERANGE", "", ["party_x_inline lacks ERANGE,"]),
        (".It Er -EBUSY", '.\\" -EBUSY', ["party_x_start lacks EBUSY,", "party_x_stop lacks EBUSY,"]),
        (".It Er -EBUSY\n.El\n.Sh EXAMPLES", ".El\n.Sh EXAMPLES\n-EBUSY", ["party_x_start lacks", "party_x_stop lacks"]),
        ("party_x_stop", "party_y_stop", ["no page: party_x_stop lacks EBUSY,"]),
    ],
)
def test_pages_without_a_code_of_a_contract_are_refused(tmp_path, old, new, words):
    (tmp_path / "x.h").write_text(CODES_HEADER, encoding="utf-8")
    (tmp_path / "party_x.3").write_text(CODES_PAGE.replace(old, new, 1) if old else CODES_PAGE, encoding="utf-8")
    wrong, count = man_codes.check(tmp_path, tmp_path)
    assert count == 6
    assert [word in line for word, line in zip(words, wrong, strict=True)] == [True] * len(words)
