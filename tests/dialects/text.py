"""Text clouds as spreadsheets, pandas, CloudCompare, C runtimes of Windows and others write them."""

import numpy as np

from dialects.base import COLORS, COUNT, NORMALS, POINTS, Dialect, lines, rows, with_holes

_NUMBERS = np.arange(COUNT)[:, None]
_SHUFFLED = np.random.default_rng(4).permutation(COUNT)
_FAR = POINTS + np.array([0, 0, 600])
_FAR[[3, 77, 200]] = 0
_NEAR = POINTS * [1, 1, 0.1] + [0, 0, 5]
_NEAR[::4, 2] = 0
_NEAR = _NEAR.round(3)
_STEPS = np.column_stack([np.rint(POINTS[:, 0]), POINTS[:, 1:]])
_XYZ = rows(POINTS)
_NUMBERED = "first column numbers the rows"
_DECIMAL = "commas are read as decimal signs"


def _marked_holes(words: str, separator: str = " ") -> bytes:
    """Points 3 and 77 replaced by a row of these words."""
    table = rows(POINTS, separator=separator)
    table[3] = table[77] = separator.join(words.split("|"))
    return lines(table)


def _no_data(number: str) -> bytes:
    table = list(_XYZ)
    for place in (3, 77, 200, 301):
        table[place] = f"{table[place].rsplit(' ', 1)[0]} {number}"
    return lines(table)


TEXT = {
    "semicolons and decimal commas": Dialect(
        ".csv", lines(rows(POINTS, COLORS, separator=";", comma=True)), colors=COLORS, log=_DECIMAL
    ),
    "tabs and decimal commas": Dialect(".txt", lines(rows(POINTS, separator="\t", comma=True)), log=_DECIMAL),
    "blanks and decimal commas": Dialect(".xyz", lines(rows(POINTS, separator="  ", comma=True)), log=_DECIMAL),
    "quoted decimal commas": Dialect(
        ".csv", lines(['"' + line.replace(" ", '","') + '"' for line in rows(POINTS, comma=True)]), log=_DECIMAL
    ),
    "id first": Dialect(".csv", lines(rows(_NUMBERS, POINTS, separator=","), "id,x,y,z")),
    "index of pandas": Dialect(".csv", lines(rows(_NUMBERS, POINTS, separator=","), ",x,y,z")),
    "index without names": Dialect(".csv", lines(rows(_NUMBERS, POINTS, separator=",")), log="counts the rows"),
    "shuffled index": Dialect(
        ".csv", lines(rows(_SHUFFLED[:, None], POINTS[_SHUFFLED], separator=",")), POINTS[_SHUFFLED], log=_NUMBERED
    ),
    "index of selected rows": Dialect(
        ".csv", lines(rows(_NUMBERS[::2] + 7, POINTS[::2], separator=",")), POINTS[::2], log=_NUMBERED
    ),
    "names and units beside words": Dialect(  # as GOM writes it where commas are decimal signs
        ".csv",
        lines(
            [f"Punkt {n};{row};0,1" for n, row in enumerate(rows(POINTS, separator=";", comma=True))],
            "Name;X [mm];Y [mm];Z [mm];Abw.",
        ),
        log=_DECIMAL,
    ),
    "names of ParaView": Dialect(
        ".csv",
        lines(rows(COLORS, POINTS, separator=","), '"RGB:0","RGB:1","RGB:2","Points:0","Points:1","Points:2"'),
        colors=COLORS,
    ),
    "zeros as holes": Dialect(
        ".xyz", lines(rows(_FAR)), np.where(_FAR[:, 2:] == 0, np.nan, _FAR), log="3 of 400 points are 0"
    ),
    "columns without names": Dialect(".txt", lines(rows(POINTS, POINTS, POINTS)), log="last 6 columns have no names"),
    "normals called xyzn": Dialect(".xyzn", lines(rows(POINTS, NORMALS, form="%.4f"))),
    "colours called xyzrgb": Dialect(".xyzrgb", lines(rows(POINTS, COLORS / 255, form="%.4f")), colors=COLORS),
    "other names": Dialect(
        ".csv", lines(rows(POINTS, NORMALS, separator=","), "PX,PY,PZ,Nx,Ny,Nz"), log="columns PX, PY, PZ are read as"
    ),
    "others beside normals": Dialect(
        ".csv", lines(rows(POINTS, NORMALS, separator=","), "East,North,Up,NX,NY,NZ"), log="East, North, Up are read"
    ),
    "quoted decimal commas behind blanks": Dialect(
        ".csv",
        lines(['"' + line.replace(".", ",").replace(" ", '"; "') + '"' for line in _XYZ], '"x"; "y"; "z"'),
        log=_DECIMAL,
    ),
    "quoted numbers behind blanks": Dialect(
        ".csv", lines(['"' + line.replace(" ", '", "') + '"' for line in _XYZ], '"x", "y", "z"')
    ),
    "quoted numbers and comments": Dialect(
        ".csv", lines(['"' + line.replace(" ", '";"') + '"\n// "next" # one' for line in _XYZ])
    ),
    "a hole beside a word first": Dialect(
        ".csv",
        lines(["P0,NA,NA,NA", *[f"P{n},{row}" for n, row in enumerate(rows(POINTS[1:], separator=","))]], "name,x,y,z"),
        with_holes([0]),
    ),
    "names between blanks above words between semicolons": Dialect(
        ".csv", lines([f"P{n};{row}" for n, row in enumerate(rows(POINTS, separator=";"))], "# name x y z")
    ),
    "names over two lines": Dialect(
        ".csv", lines(rows(POINTS[:, ::-1], separator=","), '"Z\n[mm]","Y\n[mm]","X\n[mm]"', end="\r\n")
    ),
    "names twice": Dialect(
        ".csv",
        lines(rows(POINTS, NORMALS, separator=","), "X,Y,Z,X,Y,Z"),
        log="has several columns called X, Y, Z; the",
    ),
    "words with separators": Dialect(
        ".csv", lines([f'"P, {n}",{row}' for n, row in enumerate(rows(POINTS, separator=","))], '"Name","X","Y","Z"')
    ),
    "percentages in front": Dialect(
        ".csv", lines([f"{n % 100}%,{row}" for n, row in enumerate(rows(POINTS, separator=","))], "quality,x,y,z")
    ),
    "percentages between": Dialect(
        ".csv",
        lines([row[::-1].replace(",", ",% 09,", 1)[::-1] for row in rows(POINTS, separator=",")], "x,y,quality,z"),
    ),
    "comments behind percent signs": Dialect(
        ".txt", lines([f"{row} % point {n}" if n % 3 else f"{row} !\n  % 1 2 3" for n, row in enumerate(_XYZ)])
    ),
    "tsv": Dialect(".tsv", lines(rows(POINTS, separator="\t"), "x\ty\tz")),
    "table of R": Dialect(".txt", lines(rows(_NUMBERS + 1, POINTS), '"x" "y" "z"')),
    "colours first": Dialect(".csv", lines(rows(COLORS, POINTS, separator=","), "r,g,b,x,y,z"), colors=COLORS),
    "Red Green Blue": Dialect(
        ".csv", lines(rows(POINTS, COLORS, separator=","), "X,Y,Z,Red,Green,Blue"), colors=COLORS
    ),
    "z first": Dialect(".csv", lines(rows(POINTS[:, ::-1], separator=";"), "Z [mm];Y [mm];X [mm]")),
    "names behind a comment sign": Dialect(".asc", lines(rows(POINTS, COLORS), "//X Y Z R G B"), colors=COLORS),
    "names above the number of points": Dialect(
        ".asc", lines(rows(POINTS[:, ::-1], COLORS), f"//Z Y X R G B\n{COUNT}"), colors=COLORS
    ),
    "units behind a stroke": Dialect(".csv", lines(rows(_NUMBERS, POINTS, separator=";"), "no;x/mm;y/mm;z/mm")),
    "normals between": Dialect(".txt", lines(rows(POINTS, NORMALS, COLORS, form="%.4f")), points=POINTS, colors=COLORS),
    "normals alone": Dialect(".xyz", lines(rows(POINTS, np.abs(NORMALS), form="%.4f"))),
    "normals by name": Dialect(
        ".csv",
        lines(rows(POINTS, NORMALS, COLORS, separator=",", form="%.4f"), "x,y,z,nx,ny,nz,r,g,b"),
        colors=COLORS,
    ),
    "16-bit colours by name": Dialect(
        ".csv", lines(rows(POINTS, COLORS.astype(int) * 257, separator=","), "x,y,z,r,g,b"), colors=COLORS
    ),
    "quoted numbers": Dialect(".csv", lines(['"' + line.replace(" ", '","') + '"' for line in _XYZ], '"x","y","z"')),
    "UTF-8 with a mark": Dialect(".xyz", b"\xef\xbb\xbf" + lines(_XYZ)),
    "UTF-16": Dialect(".csv", lines(rows(POINTS, separator=","), "x,y,z").decode().encode("utf-16")),
    "UTF-16 without a mark": Dialect(".txt", lines(_XYZ).decode().encode("utf-16-le")),
    "old Macintosh": Dialect(".xyz", lines(_XYZ, end="\r")),
    "holes of Windows": Dialect(".xyz", _marked_holes("-nan(ind)|1.#QNAN|-1.#IND00"), with_holes([3, 77])),
    "infinite": Dialect(".xyz", _marked_holes("inf|-inf|1"), with_holes([3, 77])),
    "empty cells": Dialect(".csv", _marked_holes("||", ","), with_holes([3, 77])),
    "one empty cell": Dialect(".csv", _marked_holes("1||2", ";"), with_holes([3, 77])),
    "NA": Dialect(".csv", _marked_holes("NA|NA|NA", "\t"), with_holes([3, 77])),
    "errors of a spreadsheet": Dialect(".csv", _marked_holes("#N/A|#DIV/0!|#NAME?", ";"), with_holes([3, 77])),
    "comments behind numbers": Dialect(
        ".xyz", lines([f"{line} # point {n}" if n % 3 else f"{line}//" for n, line in enumerate(_XYZ)])
    ),
    "units below the names": Dialect(
        ".csv",
        lines(["-,-,-,mm,mm,mm", *rows(COLORS, POINTS, separator=",")], "r,g,b,x,y,z"),
        colors=COLORS,
    ),
    "a hole first": Dialect(".csv", lines([",,", *rows(POINTS[1:], separator=",")], "x,y,z"), with_holes([0])),
    "-9999": Dialect(".xyz", _no_data("-9999"), with_holes([3, 77, 200, 301]), log="no-data value"),
    "1e10": Dialect(".xyz", _no_data("1e10"), with_holes([3, 77, 200, 301]), log="no-data value"),
    "words in a column": Dialect(
        ".csv", lines([f"part {n};{line}" for n, line in enumerate(rows(POINTS, separator=";"))], "name;x;y;z")
    ),
    "words in a column between blanks": Dialect(
        ".txt", lines([f"PT{n} {line}" for n, line in enumerate(_XYZ)], "name x y z")
    ),
    "strokes and stars": Dialect(
        ".csv", _marked_holes("1|2|---", ";").replace(b"1;2;---", b"1;*;2", 1), with_holes([3, 77])
    ),
    "whole steps and normals": Dialect(".txt", lines(rows(_STEPS, NORMALS, form="%.4f")), _STEPS),
    "whole steps and intensities": Dialect(".txt", lines(rows(_STEPS, np.abs(NORMALS[:, :1]), form="%.4f")), _STEPS),
    "0 beside heights near it": Dialect(
        ".xyz", lines(rows(_NEAR)), _NEAR, log="100 of 400 points have z = 0, and nearly all others are farther"
    ),
    "separators at the ends": Dialect(".csv", lines([line + "," for line in rows(POINTS, separator=",")])),
    "Fortran": Dialect(".txt", lines([line.replace(" ", "D+00 ", 1) for line in _XYZ])),
    "number of points first": Dialect(".pts", lines(rows(POINTS, _NUMBERS % 7, COLORS), str(COUNT)), colors=COLORS),
    "alpha in a pts": Dialect(
        ".pts",
        lines(rows(POINTS, COLORS, _NUMBERS * 0 + 255)),
        colors=np.column_stack([COLORS[:, 1:], _NUMBERS * 0 + 255]),
        log="1 to 3 are read as x, y, z and 5 to 7 as colours",
    ),
    "too small a number of points": Dialect(".pts", lines(_XYZ, "399"), log="declares 399 points but holds 400"),
    "a number above that nobody can count": Dialect(".xyz", lines(_XYZ, "9" * 5000)),
    "fewer rows than a number above": Dialect(
        ".xyz", lines(_XYZ, "500\nmade by"), log="if this is the number of points"
    ),
}

REFUSED_TEXT = {
    "a profile of x and z": (
        ".csv",
        lines(rows(POINTS, separator=","), "x,z,i"),
        "begins with 'x', 'z', 'i'; name the",
    ),
    "y in front of x": (
        ".csv",
        lines(rows(POINTS, separator=","), "y,x,height"),
        "begins with 'y', 'x', 'height'; name",
    ),
    "other names behind something else": (
        ".csv",
        lines(rows(POINTS[:, :1] * 2, POINTS, separator=","), "quality,x_cam,y_cam,z_cam"),
        "has no columns x, y, z, and x_cam, y_cam, z_cam are not the first three in this order; name the columns",
    ),
    "other names backwards": (
        ".csv",
        lines(rows(POINTS[:, ::-1], separator=","), "PZ,PY,PX"),
        "PX, PY, PZ are not the",
    ),
    "decimal commas between commas": (".csv", lines(["12,05,-6,7,90,1", "1,07,2,5,3,0"] * 200), "leading zeros"),
    "fewer names than numbers": (".csv", lines(["12,345,-6,7,90,1"] * 200, "x,y,z"), "names 3 columns but has 6"),
    "both decimal signs": (".csv", lines(["1.5;2,5;3"] * 200), "both decimal points and commas"),
    "thousands separators": (".csv", lines(["1,234.5;2;3", *["1;2;3"] * 200]), "not all numbers"),
    "numbers of rows by name": (".csv", lines(["0,1,2,3", "1,2,3,4"] * 100, "id,east,north,up"), "no columns x, y, z"),
    "colours in front": (".txt", lines(rows(COLORS, POINTS)), "begins with what looks like colours"),
    "normals in front": (".xyz", lines(rows(NORMALS, POINTS, form="%.4f")), "begins with what looks like normals"),
    "labels in front": (".txt", lines(rows(_NUMBERS % 2, POINTS)), "a label or an intensity; name the columns x, y, z"),
    "times in front": (
        ".csv",
        lines(rows(_NUMBERS * 0.5 + 1.7e9, POINTS, separator=",")),
        "begins with what looks like times",
    ),
    "pixels by name": (".csv", lines(rows(POINTS, separator=","), "row,col,height"), "no columns x, y, z"),
    "words without names": (".txt", lines([f"PT{n} {line}" for n, line in enumerate(_XYZ)]), "has words in its rows"),
    "map of heights": (".csv", lines([",".join(["1.5"] * 130)] * 200), "see docs/formats.md, Height maps"),
    "map of heights of a geographer": (
        ".asc",
        lines(["1.5 " * 130] * 200, "ncols 130\nnrows 200\nxllcorner 0\ncellsize 1\nNODATA_value -9999"),
        "docs/formats.md, Height maps",
    ),
    "fewer points than promised": (".pts", lines(_XYZ[:-1], "\n400 "), "declares 400 points but holds 399"),
    "ragged": (".xyz", lines(["1 2 3", "1 2"] * 100), "not a table of numbers"),
}
