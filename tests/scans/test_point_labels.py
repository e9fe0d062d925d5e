"""One label per point, as text and arrays hold it."""

import logging
from pathlib import Path

import numpy as np
import pytest

from pointad.datasets.labelled_points import read_labelled_points
from pointad.errors import InputError
from pointad.scans.point_labels import read_labels

LABELS = np.arange(200) % 9 == 0
WHOLE = LABELS.astype(int)
LINES = {
    "plain": [str(label) for label in WHOLE],
    "below a name": ["label", *map(str, WHOLE)],
    "below quoted names": ['"id","label"', *(f"{n},{label}" for n, label in enumerate(WHOLE))],
    "0 and 255": [str(label * 255) for label in WHOLE],
    "-1 and 1": [str(label * 2 - 1) for label in WHOLE],
    "below a name and a comment": ["# made by hand", "label", *map(str, WHOLE)],
    "words": [str(label) for label in LABELS],
    "words in another case": [str(label).upper() for label in LABELS],
    "below a name, behind numbers without one": [",anomaly", *(f"{n},{label}" for n, label in enumerate(LABELS))],
    "the same by R": ['"","anomaly"', *(f'"{n}",{label}' for n, label in enumerate(WHOLE, start=1))],
    "decimal commas": [f"{label},0" for label in WHOLE],
    "behind numbers": [f"{n} {label}" for n, label in enumerate(WHOLE)],
    "before numbers": [f"{label} {n}" for n, label in enumerate(WHOLE)],
}


@pytest.mark.parametrize("name", LINES)
def test_text(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(LINES[name]) + "\n")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_labels(path), LABELS)
    assert ("column 1 of 2 is read as the labels" in caplog.text) == (name == "before numbers")
    assert ("column 2 numbers the points" in caplog.text) == (name == "before numbers")


@pytest.mark.parametrize("between", [" ", ",", "\t", "; "])
def test_text_in_one_line(between: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(between.join(map(str, WHOLE)))
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.txt"), LABELS)


def test_one_of_several_columns_of_0_and_1_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.savetxt(tmp_path / "labels.txt", np.stack([np.arange(200) % 2, WHOLE], axis=1), fmt="%d")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_labels(tmp_path / "labels.txt"), LABELS)
    assert "column 2 of 2 is read as the labels, the last one that consists of 0 and 1" in caplog.text


def test_colours_are_no_labels(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "labels.txt", np.stack([255 - 0 * WHOLE, *2 * [255 - 255 * WHOLE]], axis=1), fmt="%d")
    with pytest.raises(InputError, match="has 3 columns, none of which is certain to be the labels"):
        read_labels(tmp_path / "labels.txt")


@pytest.mark.parametrize("values", [LABELS, WHOLE, WHOLE[:, None] * 255.0, WHOLE[None].astype(np.uint8)])
def test_arrays(values: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", values)
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.npy"), LABELS)


def test_inverted_labels_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.save(tmp_path / "labels.npy", ~LABELS)
    with caplog.at_level(logging.WARNING):
        read_labels(tmp_path / "labels.npy")
    assert "marks 88 % of the points as anomalous; the labels may be inverted" in caplog.text


@pytest.mark.parametrize("normal", [0, -1])
def test_labels_below_0_are_told(normal: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They may mark what is ignored, or, as in scikit-learn, what is anomalous."""
    labels = np.where(LABELS, 1, normal)
    labels[1:6] = -1
    np.savetxt(tmp_path / "labels.txt", labels, fmt="%d")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_labels(tmp_path / "labels.txt"), LABELS)
    assert f"labels.txt: has labels below 0 ({(labels < 0).sum()}), which count as normal" in caplog.text


def test_degrees_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.save(tmp_path / "labels.npy", np.where(LABELS, 0.8, 0.1 + WHOLE / 9))
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_labels(tmp_path / "labels.npy"), LABELS)
    assert "points above one half are read as anomalous" in caplog.text


NO_LABELS = [np.linspace(-10, 10.3, 50), np.arange(50), np.arange(50) * 81]


@pytest.mark.parametrize("values", NO_LABELS)
def test_numbers_that_are_no_labels_are_refused(values: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values)
    np.savetxt(tmp_path / "a.txt", values)
    for name in ("a.npy", "a.txt"):
        with pytest.raises(InputError, match="which are not labels"):
            read_labels(tmp_path / name)


@pytest.mark.parametrize(
    ("values", "said"), [(np.ones(50), "marks every point"), (np.zeros((5, 4)), "has shape"), (np.zeros(0), "no label")]
)
def test_what_is_no_list_of_labels_is_refused(values: np.ndarray, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", values)
    with pytest.raises(InputError, match=said):
        read_labels(tmp_path / "labels.npy")


OTHER_FILES = {
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ".png", "holds PNG data; give text with one label per line"),
    "a cloud": (b"ply\nformat ascii 1.0\n", ".ply", "holds PLY data; give text with one label per line"),
    "an array": (b"\x93NUMPY\x01\0", ".txt", r"holds NPY data; rename it so that it ends in \.npy"),
    "gzip": (b"\x1f\x8b\x08\0", ".txt", "is not a list of labels: it is compressed with gzip"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", ".txt", "it is a Git LFS pointer"),
    "nothing": (b"", ".txt", "it is empty"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_other_files_are_named(name: str, tmp_path: Path) -> None:
    content, suffix, said = OTHER_FILES[name]
    (tmp_path / f"labels{suffix}").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_labels(tmp_path / f"labels{suffix}")


def test_probabilities_with_decimal_commas(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "labels.txt"
    values = np.where(LABELS, "0,95", np.where(np.arange(200) % 4 == 1, "0,25", "0,00"))
    path.write_text("\n".join(values) + "\n")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_labels(path), LABELS)
    assert "has numbers between 0 and 1" in caplog.text
    path.write_text("\n".join(np.where(LABELS, "0,9", "0,2")) + "\n")
    with pytest.raises(InputError, match="decimal commas, or two columns"):
        read_labels(path)
    path.write_text("\n".join(f"{kind},{label}" for kind, label in zip(np.arange(200) % 2, WHOLE, strict=True)) + "\n")
    np.testing.assert_array_equal(read_labels(path), LABELS)  # a column of 0 and 1 beside another


DECIMAL_COMMAS = {
    "exponents": ("{}", "9,5E-01", "1,2e-05"),
    "whole numbers without commas": ("{}", "1", "0,3"),
    "quotes": ('"{}"', "0,95", "0,05"),
    "closing semicolons": ("{};", "0,95", "0,05"),
    "signs": ("{}", "+0,95", "+0,05"),
    "no zero in front": ("{}", ",95", ",05"),
}


@pytest.mark.parametrize(("row", "high", "low"), DECIMAL_COMMAS.values(), ids=DECIMAL_COMMAS.keys())
def test_decimal_commas_of_other_spellings(row: str, high: str, low: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("# score\n" + "\n".join(row.format(high if label else low) for label in LABELS) + "\n")
    np.testing.assert_array_equal(read_labels(path), LABELS)


def test_decimal_commas_beside_other_separators(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(f"{number};{label},00" for number, label in enumerate(WHOLE)) + "\n")
    np.testing.assert_array_equal(read_labels(path), LABELS)
    path.write_text("\n".join(f"{number};0,{95 if label else 5}" for number, label in enumerate(WHOLE)) + "\n")
    with pytest.raises(InputError, match="has 2 columns, none of which is certain to be the labels"):
        read_labels(path)


SHUFFLED = np.random.default_rng(4).permutation(len(WHOLE))
ANYWHERE = {
    "label certainty index": [WHOLE, np.linspace(0.1, 0.9, len(WHOLE)), np.arange(len(WHOLE))],
    "index and three labels": [np.arange(1, len(WHOLE) + 1), WHOLE, WHOLE, WHOLE],
    "certainty index label": [np.linspace(0.1, 0.9, len(WHOLE)), np.arange(len(WHOLE)), WHOLE],
}


@pytest.mark.parametrize("name", ANYWHERE)
def test_the_index_counts_wherever_it_is(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.savetxt(tmp_path / "labels.txt", np.stack(ANYWHERE[name], axis=1)[SHUFFLED], fmt="%g")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_labels(tmp_path / "labels.txt"), LABELS)
    assert "numbers the points" in caplog.text


def test_gaps_in_an_index_behind_the_labels(tmp_path: Path) -> None:
    columns = [WHOLE, np.linspace(0.1, 0.9, len(WHOLE)), np.arange(len(WHOLE)) * 2]
    np.savetxt(tmp_path / "labels.txt", np.stack(columns, axis=1)[SHUFFLED], fmt="%g")
    with pytest.raises(InputError, match="row numbers in column 3"):
        read_labels(tmp_path / "labels.txt")


def test_labels_of_a_good_scan_before_their_index(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "labels.txt", np.stack([np.zeros(60), np.arange(60)], axis=1), fmt="%d")
    assert not read_labels(tmp_path / "labels.txt").any()


@pytest.mark.filterwarnings("error")
def test_numbers_without_bound_beside_labels_give_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{'inf' if n > 150 else n} {label}\n" for n, label in enumerate(WHOLE)))
    np.testing.assert_array_equal(read_labels(path), LABELS)


@pytest.mark.parametrize("rows", [2, 3])
def test_rows_of_very_many_numbers_are_refused(rows: int, tmp_path: Path) -> None:
    path, scan = tmp_path / "labels.txt", tmp_path / "scan.npy"
    path.write_text(("1 0 " * 100_000 + "\n") * rows)
    np.save(scan, np.zeros((rows, 3)))
    with pytest.raises(InputError, match="has rows of 200000 numbers, more than 100"):
        read_labels(path)
    with pytest.raises(InputError, match="has rows of 200000 numbers, more than 100"):
        read_labelled_points(path, scan)
