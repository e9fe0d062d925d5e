"""Names that come from others: what they become as files, and that nothing in any output can be mistaken for markup."""

import csv
import html
import io
import json
import logging
import re
from pathlib import Path

import pytest
from hostile_names import HOSTILE
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pointad.commands.program import LONGEST_LINE, OneLineFormatter
from pointad.errors import LONGEST_NAME, InputError, counted, short, shown
from pointad.files.atomic import atomic_path
from pointad.files.escaping import for_csv, for_html, for_json_line, for_latex, for_markdown, for_script, from_csv
from pointad.files.names import LONGEST, file_name, place_below, plain_component

SHORT = settings(max_examples=40, deadline=None)
ANY_TEXT = st.one_of(st.text(st.characters()), st.sampled_from(HOSTILE))


@pytest.mark.parametrize("name", ["carrot", "cable_gland", "000", "Loch, groß", "检测 'a' (1)", "x-45", "a.b", "v1~"])
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert file_name(name) == plain_component(name, "class") == name


@pytest.mark.parametrize(
    ("foreign", "expected"),
    [
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("", "%"),
        ("../../x", "%2E.%2F..%2Fx"),
        ("/etc/passwd", "%2Fetc%2Fpasswd"),
        ("C:\\x", "C%3A%5Cx"),
        ("a\0b", "a%5Cx00b"),
        ("a\nb", "a%5Cnb"),
        ("con", "%63on"),
        ("con .txt", "%63on .txt"),
        ("NUL.txt", "%4EUL.txt"),
        ("-rf", "%2Drf"),
        ("caf\udce9", "caf%5Cudce9"),
        ("50%", "50%25"),
    ],
)
def test_special_names_are_escaped(foreign: str, expected: str) -> None:
    assert file_name(foreign) == expected


@SHORT
@given(ANY_TEXT)
def test_every_name_becomes_one_component(foreign: str) -> None:
    name = file_name(foreign)
    assert name not in ("", ".", "..") and not name.startswith((".", "-")) and not name.endswith((".", " "))
    assert not set(name) & set('/\\:*?"<>|\0') and name.isprintable()
    assert len(name.encode()) <= LONGEST
    assert place_below("root", foreign, foreign).parent.parent == Path("root")
    assert file_name(shown(foreign)) == name, "what a table shows leads to the same file"


@SHORT
@given(ANY_TEXT, ANY_TEXT)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (shown(one) == shown(other))


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "/etc", "a\\b", "a\0b", "x" * 300])
def test_what_is_no_plain_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="class"):
        plain_component(name, "class")


@pytest.mark.parametrize("name", HOSTILE)
def test_every_name_can_be_written(name: str, tmp_path: Path) -> None:
    target = tmp_path / (file_name(name) + ".json")
    with atomic_path(target) as temporary:
        temporary.write_text("{}")
    assert [path.parent for path in tmp_path.rglob("*")] == [tmp_path]


def test_long_targets_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 250 + ".csv")
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"


@SHORT
@given(ANY_TEXT)
def test_shown_is_one_printable_line_of_utf8(text: str) -> None:
    assert shown(text).isprintable() and shown(shown(text)) == shown(text)
    assert shown(text).encode().decode() == shown(text)


@SHORT
@given(ANY_TEXT, ANY_TEXT)
def test_errors_are_one_line_whatever_they_name(subject: str, problem: str) -> None:
    assert str(InputError(subject, problem, "rename it")).isprintable()


@SHORT
@given(ANY_TEXT)
def test_html(text: str) -> None:
    escaped = for_html(text)
    assert not set(escaped) & set("<>\"'") and escaped.isprintable()
    assert html.unescape(escaped) == shown(text)


@SHORT
@given(st.one_of(ANY_TEXT, st.just("</script><script>alert(1)</script>"), st.just("<!--<script>")))
def test_scripts(text: str) -> None:
    written = for_script({"name": text})
    assert "<" not in written and ">" not in written and "\u2028" not in written
    assert json.loads(written) == {"name": text}


@SHORT
@given(ANY_TEXT)
def test_json_lines(text: str) -> None:
    for ascii_only in (False, True):
        line = for_json_line({"name": text}, ascii_only=ascii_only)
        assert line.isprintable() and json.loads(line) == {"name": text}
    assert for_json_line({"score": [float("nan"), float("-inf"), 1.5]}) == '{"score": [null, null, 1.5]}'


@SHORT
@given(ANY_TEXT)
def test_markdown_cells(text: str) -> None:
    cell = for_markdown(text)
    assert cell.isprintable()
    assert not re.search(r"[`*\[\]<|~$]", re.sub(r"\\.", "", cell)), "nothing special without its backslash"
    assert re.sub(r"\\(.)", r"\1", cell) == shown(text)


@pytest.mark.parametrize("name", ["my_class", "a-b", "a__b", "größe_2", "nut & bolt", "R&D", "100 %", "#4", "(x)"])
def test_ordinary_names_stay_readable_in_markdown_and_csv(name: str) -> None:
    assert for_markdown(name) == for_csv(name) == name


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("_gear_", r"\_gear\_"),
        ("__my_gear__ (_a_)", r"\_\_my_gear\_\_ (\_a\_)"),
        ("~~x~~", r"\~\~x\~\~"),
        ("$x$", r"\$x\$"),
        ("&lt;b&gt; &#60;", r"\&lt;b\&gt; \&#60;"),
        ("see https://a.b or WWW.a.b", r"see https\://a.b or WWW\.a.b"),
    ],
)
def test_emphasis_formulas_entities_and_addresses_are_plain_text_in_markdown(name: str, cell: str) -> None:
    assert for_markdown(name) == cell


@SHORT
@given(ANY_TEXT)
def test_latex_cells(text: str) -> None:
    cell = for_latex(text)
    assert cell.isprintable()
    known = r"\\(?:[&%#_${}]|text(?:asciitilde|asciicircum|backslash|less|greater|bar)\{\}|pm|times|sigma)"
    assert not set(re.sub(known + r"|\$\\[a-z]+\$|\{[][*]?\}", "", cell)) & set("\\{}&%#_^~$[]*|")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        *(("a-b", "a-b"), ("a--b", "a-{}-b"), ("---", "-{}-{}-"), ("1–2", "1--2")),
        *(("?`x", "?{}`x"), ("!`", "!{}`"), ("``q''", "`{}`q'{}'"), ("x,,y", "x,{},y"), ("it's", "it's")),
    ],
)
def test_signs_that_latex_would_join_stay_apart(name: str, cell: str) -> None:
    """Else a--b would be shown as a–b is, and ?` upside down."""
    assert for_latex(name) == cell


@SHORT
@given(st.one_of(ANY_TEXT, st.text("=+-@'a; ＝－")))
@example("x;=1+1")
@example("x; =1+1")
@example("＝1+1")
def test_csv_cells_are_no_formulas_and_come_back(text: str) -> None:
    cell = for_csv(text)
    for part in cell.split(";"):  # where spreadsheets begin a cell, depending on the country
        assert not part.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert from_csv(cell) == shown(text)
    file = io.StringIO()
    csv.writer(file).writerow([cell, "next"])
    assert next(csv.reader([file.getvalue()])) == [cell, "next"]


def test_long_names_lose_their_middle() -> None:
    for name in ("a" * LONGEST_NAME, "", "scan.ply"):
        assert short(name) == name
    name = "first" + 5_000 * "\n" + "last.ply"
    assert len(short(name)) == LONGEST_NAME and short(name).startswith("first\\n") and short(name).endswith("last.ply")
    assert short("abcdefgh", 5) == "ab…gh" and short("abcdefgh", 4) == "ab…h"
    said = str(InputError(name, f"is {name}", f"not {name}"))
    assert len(said) < 6 * LONGEST_NAME and "last.ply: is first" in said
    assert file_name("a" * 999 + "b" + "a" * 999) != file_name("a" * 1999), "names of files tell names apart"


def test_lines_of_the_log_end() -> None:
    record = logging.makeLogRecord({"msg": "%s: is bad", "args": ("a\n" * 5_000,)})
    line = OneLineFormatter("%(message)s").format(record)
    assert len(line) == LONGEST_LINE and line.startswith("a\\na") and line.endswith(": is bad")


def test_numbers_have_their_nouns() -> None:
    assert [counted(number, "scan") for number in (0, 1, 2)] == ["0 scans", "1 scan", "2 scans"]
    assert [counted(number, "class") for number in (1, 2)] == ["1 class", "2 classes"]
