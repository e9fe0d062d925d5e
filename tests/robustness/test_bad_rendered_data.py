"""train.py and test.py on rendered data sets with a fault: one line that names the file, and nothing written."""

import json
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from robustness.invocation import assert_one_error_line, files_below, invoke
from robustness.spoiling import edit_lists, empty, remove, replace, truncate

pytestmark = pytest.mark.usefixtures("ready_backbone")

Spoil = Callable[[Path], object]
LISTS = ("all_meta.json", "cookie_meta.json")
SAMPLE = Path("cookie/test/hole")
VIEW = SAMPLE / "2d_rendering/000/view_2.png"  # the first of two views is the frontal one
VIEW_GT = SAMPLE / "2d_gt/000/view_2_gt.png"
PLACES = SAMPLE / "2d_3d_cor/000/view_2_cor.npy"
INDICES = SAMPLE / "2d_3d_cor/000/nonzero_indices.npy"
COLOR = SAMPLE / "rgb/000.png"
MASK = SAMPLE / "gt/000.png"
GOOD_COLOR = Path("cookie/test/good/rgb/000.png")


def on(path: Path, spoil: Callable[[Path], object]) -> Spoil:
    """The same deed to one file of the data set."""
    return lambda root: spoil(root / path)


def array(values: np.ndarray) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        path.unlink()
        np.save(path, values)

    return write


def change(edit: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], object]:
    return lambda path: array(edit(np.load(path)))(path)


def put(path: Path, index: object, value: int) -> Spoil:
    def edit(values: np.ndarray) -> np.ndarray:
        values[index] = value  # type: ignore[index]
        return values

    return on(path, change(edit))


def picture(height: int, width: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        path.unlink()
        Image.new("L", (width, height)).save(path)

    return write


def promise(width: int, height: int) -> Callable[[Path], object]:
    """A PNG header for more pixels than anyone has."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return lambda path: replace(path, b"\x89PNG\r\n\x1a\n" + chunk)


def lists(content: bytes) -> Spoil:
    def write(root: Path) -> None:
        for name in LISTS:
            replace(root / name, content)

    return write


def unseen(root: Path) -> None:
    for path in (root / SAMPLE / "2d_3d_cor/000").glob("view_*_cor.npy"):
        change(lambda values: values * [1, 1, 0])(path)


def entry(**changes: object) -> Spoil:
    return lambda root: edit_lists(root, changes)


def npy_promise(path: Path) -> None:
    content = path.read_bytes()
    replace(path, content.replace(b"'shape': (", b"'shape': (10000000", 1)[: len(content)])


def array_of_objects(path: Path) -> None:
    replace(path, b"")
    np.save(path, np.array([{}, None], dtype=object), allow_pickle=True)


def mask_of(width: int, height: int) -> Image.Image:
    image = Image.new("L", (width, height))
    image.paste(255, (50, 50, 90, 90))
    return image


CASES = [
    pytest.param(on(VIEW, remove), VIEW.name, id="view missing"),
    pytest.param(on(VIEW, truncate), VIEW.name, id="view truncated"),
    pytest.param(on(VIEW, empty), VIEW.name, id="view empty"),
    pytest.param(on(VIEW, lambda path: replace(path, b"no picture")), VIEW.name, id="view is no picture"),
    pytest.param(on(VIEW, promise(10**6, 10**6)), VIEW.name, id="view promises 10^12 pixels"),
    pytest.param(on(SAMPLE / "2d_rendering/000/view_1.png", picture(20, 30)), "view_1.png", id="view of another size"),
    pytest.param(on(VIEW.parent, remove), "view_", id="folder of the views missing"),
    pytest.param(on(PLACES, remove), PLACES.name, id="correspondences missing"),
    pytest.param(on(PLACES, truncate), PLACES.name, id="correspondences truncated"),
    pytest.param(on(PLACES, empty), PLACES.name, id="correspondences empty"),
    pytest.param(on(PLACES, npy_promise), PLACES.name, id="correspondences promise too much"),
    pytest.param(on(PLACES, array_of_objects), PLACES.name, id="correspondences are a pickle"),
    pytest.param(on(PLACES, change(lambda v: v.astype(float))), PLACES.name, id="correspondences are floats"),
    pytest.param(on(PLACES, change(lambda v: v[:, :2])), PLACES.name, id="correspondences lack a column"),
    pytest.param(on(PLACES, change(lambda v: v[1:])), PLACES.name, id="correspondences of other points"),
    pytest.param(put(PLACES, (0, 0), -1), PLACES.name, id="correspondence below 0"),
    pytest.param(put(PLACES, (0, 0), 10**6), PLACES.name, id="correspondence on no picture"),
    pytest.param(put(PLACES, (0, 0), 336), "cookie/hole/000", id="correspondence beside the picture"),
    pytest.param(put(PLACES, (0, 2), 7), PLACES.name, id="visibility neither 0 nor 1"),
    pytest.param(unseen, "cookie/hole/000", id="no point seen"),
    pytest.param(on(INDICES, remove), "cookie/hole/000", id="indices missing"),
    pytest.param(on(INDICES, truncate), INDICES.name, id="indices truncated"),
    pytest.param(on(INDICES, change(lambda v: v[1:])), "cookie/hole/000", id="indices too few"),
    pytest.param(on(INDICES, change(lambda v: v[:, None])), INDICES.name, id="indices of two dimensions"),
    pytest.param(on(INDICES, change(lambda v: v[::-1])), "cookie/hole/000", id="indices in another order"),
    pytest.param(put(INDICES, -1, 336 * 336), "cookie/hole/000", id="index beyond the grid"),
    pytest.param(put(INDICES, 0, -1), INDICES.name, id="index below 0"),
    pytest.param(on(MASK, remove), f"hole/gt/{MASK.name}", id="mask missing"),
    pytest.param(on(MASK, truncate), f"hole/gt/{MASK.name}", id="mask truncated"),
    pytest.param(on(MASK, lambda path: (remove(path), mask_of(300, 200).save(path))), MASK.name, id="mask of another"),
    pytest.param(on(GOOD_COLOR, picture(200, 300)), "good/gt/000.png", id="picture of another"),
    pytest.param(on(LISTS[0], lambda path: [remove(path.with_name(n)) for n in LISTS]), "_meta.json", id="no list"),
    pytest.param(lists(b""), "_meta.json", id="list empty"),
    pytest.param(lists(b'{"test": {"cookie": ['), "_meta.json", id="list truncated"),
    pytest.param(lists(b"\xff\xfe\x00"), "_meta.json", id="list is no text"),
    pytest.param(lists(b"[" * 100_000), "_meta.json", id="list nested without end"),
    pytest.param(lists(b"[]"), "_meta.json", id="list is no object"),
    pytest.param(lists(b'{"test": {"cookie": {}}}'), "_meta.json", id="list of another form"),
    pytest.param(lists(b'{"test": {"cookie": ["sample"]}}'), "_meta.json", id="sample is no object"),
    pytest.param(lists(b'{"test": {}}'), "", id="list of no samples"),
    pytest.param(entry(d2_corrdinate=None), "d2_corrdinate", id="entry lacks a path"),
    pytest.param(entry(d2_render_img_path=7), "d2_render_img_path", id="path is a number"),
    pytest.param(entry(anomaly="yes"), "anomaly", id="label is a word"),
    pytest.param(entry(anomaly=float("nan")), "anomaly", id="label is no number"),
    pytest.param(entry(d2_render_img_path="../elsewhere"), "../elsewhere", id="path climbs out"),
    pytest.param(entry(d2_corrdinate="/etc"), "/etc", id="path outside"),
    pytest.param(entry(d2_corrdinate="cookie/test/../../../x"), "../x", id="path climbs out on the way"),
    pytest.param(entry(d2_render_img_path="cookie/test/good/gone/000"), "gone", id="list names files that are gone"),
    pytest.param(entry(d2_render_img_path="a\0b"), "", id="path with a zero byte"),
    pytest.param(remove, "data", id="no such folder"),
    pytest.param(lambda root: [remove(root), root.write_text("")], "data", id="folder is a file"),
]


@pytest.mark.parametrize(("spoil", "named"), CASES)
def test_testing(spoil: Spoil, named: str, data: Path, tmp_path: Path, test_flags: tuple[object, ...]) -> None:
    spoil(data)
    output = tmp_path / "out"
    ending = invoke("test.py", "--data_path", data, "--save_path", output, *test_flags)
    assert_one_error_line(ending, named)
    assert files_below(output) <= {"log.txt"}


def unmarked(root: Path) -> None:
    side = Image.open(root / MASK).size
    replace(root / MASK, b"")
    Image.new("L", side).save(root / MASK)


def unlisted_mask(root: Path) -> None:
    for name in LISTS:
        content = json.loads((root / name).read_text())
        for sample in content["test"]["cookie"]:
            del sample["d2_mask_path"]
        replace(root / name, json.dumps(content).encode())


@pytest.mark.parametrize("spoil", [unmarked, unlisted_mask])
def test_anomalies_without_a_mark_count_for_the_image_alone(
    spoil: Spoil, data: Path, tmp_path: Path, test_flags: tuple[object, ...]
) -> None:
    spoil(data)
    flags = ("test.py", "--data_path", data, *test_flags)
    assert_one_error_line(invoke(*flags, "--save_path", tmp_path / "refused"), "--allow_empty_masks")
    ending = invoke(*flags, "--save_path", tmp_path / "out", "--allow_empty_masks")
    assert ending.code == 0, ending.err
    note = "Pixel metrics leave out anomalous samples whose masks mark nothing: 1 of cookie."
    assert note in ending.out and note in ending.err
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["without_mask"] == {"cookie": 1}
    metrics = results["classes"]["cookie"]["point"]
    assert metrics["image_auroc"] is not None
    assert metrics["pixel_auroc"] is metrics["pixel_aupro"] is None
    with (tmp_path / "out" / "curves.json").open() as file:
        assert json.load(file)["cookie"]["point"].get("pixel") in (None, {})


def test_a_grid_that_was_not_rendered(data: Path, tmp_path: Path, test_flags: tuple[object, ...]) -> None:
    flags = (*test_flags, "--grid_size", 400)  # positions on 336 rows would be taken for ones on 400
    ending = invoke("test.py", "--data_path", data, "--save_path", tmp_path / "out", *flags)
    assert_one_error_line(ending, "--grid_size", "336 x 336")
    assert files_below(tmp_path / "out") <= {"log.txt"}


# What training reads beyond the rest, and some of the rest.
TRAINING_CASES = [
    *(
        case
        for case in CASES
        if case.id in ("view missing", "correspondences truncated", "mask of another", "list empty", "path climbs out")
    ),
    pytest.param(on(VIEW_GT, remove), VIEW_GT.name, id="view's truth missing"),
    pytest.param(on(VIEW_GT, truncate), VIEW_GT.name, id="view's truth truncated"),
    pytest.param(
        on(SAMPLE / "2d_gt/000/view_1_gt.png", picture(8, 8)), "view_1_gt.png", id="view's truth of another size"
    ),
    pytest.param(lambda root: keep(root, label=0), "no anomalous samples", id="class without anomalies"),
    pytest.param(lambda root: remove(root / "cookie_meta.json"), "cookie_meta.json", id="class not listed"),
]


def keep(root: Path, label: int) -> None:
    """Leave the good samples of the lists, or the anomalous ones."""
    for name in LISTS:
        content = json.loads((root / name).read_text())
        content["test"] = {c: [e for e in es if e["anomaly"] == label] for c, es in content["test"].items()}
        replace(root / name, json.dumps(content).encode())


@pytest.mark.parametrize(("spoil", "named"), TRAINING_CASES)
def test_training(spoil: Spoil, named: str, data: Path, tmp_path: Path, train_flags: tuple[object, ...]) -> None:
    spoil(data)
    output = tmp_path / "out"
    ending = invoke("train.py", "--data_path", data, "--save_path", output, *train_flags)
    assert_one_error_line(ending, named)
    assert files_below(output) <= {"log.txt"}


@pytest.mark.parametrize("label", [0, 1])
def test_a_class_of_one_kind_is_tested(label: int, data: Path, tmp_path: Path, test_flags: tuple[object, ...]) -> None:
    keep(data, label)
    ending = invoke("test.py", "--data_path", data, "--save_path", tmp_path / "out", *test_flags)
    assert ending.code == 0, ending.err
    metrics = json.loads((tmp_path / "out" / "results.json").read_text())["classes"]["cookie"]["point"]
    assert metrics["image_auroc"] is None
    assert (metrics["pixel_auroc"] is None) == (label == 0)
    assert "undefined" in ending.out


def test_a_class_without_good_samples_is_learned_from(
    data: Path, tmp_path: Path, train_flags: tuple[object, ...]
) -> None:
    keep(data, label=1)
    ending = invoke("train.py", "--data_path", data, "--save_path", tmp_path / "out", *train_flags)
    assert ending.code == 0, ending.err
    assert {"epoch_1.pth", "losses.csv", "run.json"} <= files_below(tmp_path / "out")


@pytest.mark.parametrize("spoil", [remove, truncate, empty])
def test_bad_colour_picture(spoil: Callable, data: Path, tmp_path: Path, test_flags: tuple[object, ...]) -> None:
    spoil(data / COLOR)
    ending = invoke("test.py", "--data_path", data, "--save_path", tmp_path / "out", *test_flags)
    assert_one_error_line(ending, f"hole/rgb/{COLOR.name}")


def test_errors_in_loading_processes_arrive(data: Path, tmp_path: Path, test_flags: tuple[object, ...]) -> None:
    truncate(data / PLACES)
    flags = (*test_flags, "--num_workers", 2)
    ending = invoke("test.py", "--data_path", data, "--save_path", tmp_path / "out", *flags)
    assert_one_error_line(ending, PLACES.name)


def test_code_in_arrays_does_not_run(data: Path, tmp_path: Path, test_flags: tuple[object, ...]) -> None:
    witness = tmp_path / "witness"
    header = b"\x93NUMPY\x01\x00" + struct.pack("<H", 70)
    header += b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69) + b"\n"
    replace(data / PLACES, header + pickle.dumps(Deed(witness)))
    ending = invoke("test.py", "--data_path", data, "--save_path", tmp_path / "out", *test_flags)
    assert_one_error_line(ending, PLACES.name)
    assert not witness.exists()


class Deed:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple:
        return Path.touch, (self.witness,)
