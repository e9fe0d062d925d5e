"""Escaping of untrusted names, one function for each kind of output.

`pointad.errors.shown` is the one for terminals and logs; all others start from it, so that control characters and bytes
that are not text are escaped everywhere.
"""

import html
import json
import math
import re
from typing import Any

from pointad.errors import shown

_FORMULA_BEGINS = r"([ '\"]*[=+\-@＝＋－＠])"  # the wide ones begin a formula in Japanese spreadsheets
_FORMULA = re.compile("(^|;)" + _FORMULA_BEGINS)
_QUOTED_FORMULA = re.compile("(^|;)'" + _FORMULA_BEGINS)
_WITHIN_WORD = r"(?<=[^\W_])_+(?=[^\W_])"
_MARKDOWN = re.compile(rf"({_WITHIN_WORD})|([\\`*\[\]<|~$_]|&(?=#?\w+;)|:(?=//)|(?<=[wW]{{3}})\.)")
_JOINED = re.compile(r"(?<=-)(?=-)|(?<=[?!`])(?=`)|(?<=')(?=')|(?<=,)(?=,)")  # where two signs would become one
_LATEX = str.maketrans(
    {
        "\0": "{}",  # which no text that is shown holds
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        "[": "{[}",  # would be read as an option after the end of a row
        "]": "{]}",
        "*": "{*}",
        "±": r"$\pm$",
        "×": r"$\times$",
        "σ": r"$\sigma$",
        "–": "--",
    }
)


def for_html(text: object) -> str:
    """For text, and for attributes in double or single quotes."""
    return html.escape(shown(text), quote=True)


def for_script(data: Any) -> str:
    """Data as JSON inside a `<script>` element, which it can neither end nor follow with another."""
    return re.sub(r"[<>&\u2028\u2029]", _unicode_escape, json.dumps(data, separators=(",", ":"), allow_nan=False))


def for_json_line(data: Any, *, ascii_only: bool = False) -> str:
    """JSON on one line that is safe to show on a terminal: letters of any script stay, the rest is escaped.

    Numbers that are not finite, which JSON does not have, become null.

    Args:
        data: anything that JSON can represent.
        ascii_only: escape everything that is not ASCII, for outputs in encodings other than UTF-8.
    """
    return _printable(json.dumps(_finite(data), ensure_ascii=ascii_only, allow_nan=False))


def for_json_file(data: Any) -> str:
    """JSON on several lines, of which each is safe to show on a terminal, as files are with `cat`.

    Raises:
        ValueError: a number is not finite.
    """
    lines = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False).split("\n")
    return "".join(f"{_printable(line)}\n" for line in lines)


def for_markdown(text: object) -> str:
    """For a cell of a table or within a line of text, in which no address of a page is a link; words keep underscores.

    GitHub makes links of mail addresses whatever is escaped in them.
    """
    return _MARKDOWN.sub(lambda found: found[1] or f"\\{found[2]}", shown(text))


def for_latex(text: object) -> str:
    """For text and cells of a table; signs that LaTeX would join to another one, such as two dashes, stay apart."""
    return _JOINED.sub("\0", shown(text)).translate(_LATEX)


def for_csv(text: object) -> str:
    """For a cell: an apostrophe is put before what a spreadsheet would take for a formula, to make it text.

    Also behind a semicolon, where many spreadsheets begin another cell, and whatever quotation marks they then drop.
    """
    return _FORMULA.sub(r"\1'\2", shown(text))


def from_csv(cell: str) -> str:
    """The text of a cell that `for_csv` wrote."""
    return _QUOTED_FORMULA.sub(r"\1\2", cell)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _finite(entry) for name, entry in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(entry) for entry in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def _printable(line: str) -> str:
    # Outside strings, JSON has only printable characters, so every other one is where an escape is allowed.
    return "".join(c if c.isprintable() else _surrogates(c) for c in line)


def _unicode_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _surrogates(character: str) -> str:
    """A character as JSON escapes it: one or two UTF-16 code units."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2))
