"""Good scans sent to the web service: beside a scan, or before it; their limits, and the page that takes them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from headless_chromium import HeadlessChromium, browser_path
from sample_scans import closed_shape, depth_scan

from pointad.inspection.predictor import PointAD

pytest.importorskip("fastapi", reason="requirements-serve.txt is not installed")

from commands.serving import ask, form_of, serving

from pointad.commands.references import GoodScans, make_reference
from pointad.commands.service.app import drop_page
from pointad.commands.service.child import FACTS, PAGE, REFERENCE, Model, Order
from pointad.commands.service.inspector import ScanInspector
from pointad.commands.service.kept_references import KeptReferences
from pointad.commands.service.uploads import MOST_GOOD


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two good scans of 900 points."""
    folder = tmp_path_factory.mktemp("good")
    for seed in range(2):
        trimesh.PointCloud(closed_shape(900, seed)).export(folder / f"{seed}.ply")
    return [folder / "0.ply", folder / "1.ply"]


def points_of(path: Path) -> np.ndarray:
    return np.asarray(trimesh.load(path).vertices)


def sent_good(good: list[Path]) -> list[tuple[str, str | None, bytes]]:
    return [("good", path.name, path.read_bytes()) for path in good]


def post(address: str, path: str, *parts: tuple[str, str | None, bytes], **headers: str) -> tuple[int, dict[str, Any]]:
    body, standard = form_of(*parts)
    status, text = ask(f"{address}/{path}", body, **standard, **headers)
    return status, json.loads(text)


def test_good_scans_beside_a_scan_or_before_it(address: str, good: list[Path], ply: Path, detector: PointAD) -> None:
    scan = ("file", "blob.ply", ply.read_bytes())
    reference = detector.make_reference([points_of(path) for path in good])
    expected = detector.predict(points_of(ply), reference=reference)
    status, beside = post(address, "predict", scan, *sent_good(good))
    assert status == 200, beside
    assert beside["score"] == pytest.approx(expected.score, abs=1e-5)
    assert beside["good_scans"] == 2 and 0 < beside["p_value"] <= 1

    status, made = post(address, "reference", *sent_good(good))
    assert status == 200 and made["good_scans"] == 2 and len(made["good_scores"]) == 2
    by_address = ask(f"{address}/predict?name=blob.ply&reference={made['reference']}", ply.read_bytes())
    by_field = post(address, "predict", scan, ("reference", None, made["reference"].encode()))
    for status, facts in ((by_address[0], json.loads(by_address[1])), by_field):
        assert status == 200 and facts["score"] == beside["score"] and facts["p_value"] == beside["p_value"]
    page = ask(f"{address}/view?name=blob.ply&reference={made['reference']}", ply.read_bytes())[1]
    assert "Compared with 2 good scans (2-shot); p-value" in page
    plain = ask(f"{address}/view?name=blob.ply", ply.read_bytes())[1]
    assert "without good scans of the object (zero-shot)" in plain


def test_copies_of_good_scans_are_known_by_content() -> None:
    good = [("good", f"{number}.xyz", f"nothing {number}".encode()) for number in range(2)]
    with serving() as address:
        made = post(address, "reference", *good)[1]["file"]
        known = {}
        for content in (b"nothing 1", b"nothing 2"):
            scan = ("file", "0.xyz", content)
            named = ("reference", None, made.encode())
            sent = [post(address, "predict", scan, *more)[1] for more in (good, [named], [])]
            known[content] = [facts["copy_of"] for facts in sent]
    assert known == {b"nothing 1": ["1.xyz", "1.xyz", ""], b"nothing 2": ["", "", ""]}


def test_copies_of_good_scans_are_told(detector: PointAD, good: list[Path], ply: Path, tmp_path: Path) -> None:
    moved = tmp_path / "0.ply"
    moved.write_bytes(good[0].read_bytes())
    inspector = ScanInspector(detector, make_reference(detector, GoodScans([moved]), {}))
    copy = moved.rename(tmp_path / "scan.ply")
    said = "is one of the good scans; compared with itself, its score is too low (it holds the same as {})"
    facts = json.loads(inspector.inspect(Order(str(copy), "blob.ply", FACTS)))
    assert facts["warning"] == said.format("0.ply"), "and no folder of the server"
    page = inspector.inspect(Order(str(ply), "blob.ply", PAGE, copy_of="7.ply"))
    assert f"(1-shot). Warning: {said.format('7.ply')}." in page
    assert "warning" not in json.loads(inspector.inspect(Order(str(ply), "0.ply", FACTS)))

    large = tmp_path / "large.xyz"
    np.savetxt(large, 2 * closed_shape(900, 7))
    facts = json.loads(inspector.inspect(Order(str(large), "large.xyz", FACTS)))
    assert facts["warning"].startswith("is 2") and "the size does not affect the score" in facts["warning"]
    assert f"Warning: {facts['warning']}." in inspector.inspect(Order(str(large), "large.xyz", PAGE))

    rounded = tmp_path / "scan.xyz"
    np.savetxt(rounded, points_of(good[0]), fmt="%.4f")
    facts = json.loads(inspector.inspect(Order(str(rounded), "blob.xyz", FACTS)))
    assert facts["warning"] == said.format("0.ply"), "in another format too"
    stored = tmp_path / "00f3.ply"
    stored.write_bytes(good[0].read_bytes())
    made = tmp_path / "made.safetensors"
    inspector.inspect(Order(str(made), "made", REFERENCE, good=((str(stored), "sent.ply"),)))
    facts = json.loads(inspector.inspect(Order(str(rounded), "blob.xyz", FACTS, reference=str(made))))
    assert facts["warning"] == said.format("sent.ply"), "under the name that was sent"


def test_good_scans_that_cannot_be_compared_are_named(address: str, good: list[Path], ply: Path) -> None:
    scan, (first, second) = ("file", "blob.ply", ply.read_bytes()), sent_good(good)
    status, facts = post(address, "predict", scan, first, ("good", "b<ad.ply", b"ply\nbut not really"))
    assert status == 422 and facts["detail"].startswith("blob.ply: b<ad.ply: ")
    large = trimesh.PointCloud(100 * closed_shape(900, 4)).export(file_type="ply")
    status, facts = post(address, "reference", first, second, ("good", "large.ply", large))
    assert status == 422 and "large.ply: its largest side is" in facts["detail"]
    assert "pointad_" not in facts["detail"], "no path of the server is told"
    status, facts = post(address, "reference", first, ("good", "twin.ply", first[2]))
    assert status == 422 and "twin.ply: holds the same points as 0.ply" in facts["detail"]
    grid = io.BytesIO()
    np.save(grid, depth_scan())
    status, facts = post(address, "predict", scan, ("good", "grid.npy", grid.getvalue()))
    assert status == 422 and facts["detail"].startswith("blob.ply: reference: was made from another kind of scan")
    status, facts = post(address, "reference", first, ("good", "1.exe", b"MZ"))
    assert status == 422 and "1.exe: has the unsupported extension" in facts["detail"]


@pytest.mark.parametrize(
    ("path", "fields", "status", "said"),
    [
        ("predict", ["good"], 400, "no file in its field 'file'"),
        ("predict", ["file", "file"], 400, "several files in its field 'file'"),
        ("predict", ["file", "good", "reference"], 422, "send one of the two"),
        (
            "predict",
            ["file", "reference"],
            404,
            "this reference does not exist or is no longer kept; send the good scans again",
        ),
        ("predict", ["file", *["good"] * (MOST_GOOD + 1)], 400, "Too many files"),
        ("reference", ["file", "good"], 400, "not a form with good scans, and nothing else"),
        ("reference", ["reference"], 400, "not a form with good scans, and nothing else"),
        ("reference", [], 400, "not a form with good scans, and nothing else"),
        ("predict", [], 400, "no file in its field 'file'"),
        ("predict", ["file", "reference", "reference"], 400, "field 'reference' is not a single text"),
        ("predict", ["file", "goods"], 400, "a field 'goods', which is none of 'file', 'good', 'reference'"),
        ("reference", ["good"] * (MOST_GOOD + 1), 400, f"send at most {MOST_GOOD}"),
        ("reference", ["good", "reference"], 400, "not a form with good scans, and nothing else"),
        ("predict?refrence=a", ["file"], 422, "'refrence' of the address is not known"),
        ("predict?name=a.xyz&name=b.xyz", ["file"], 422, "'name' of the address is given twice"),
        ("reference?name=a.xyz", ["good"], 422, "'name' of the address is not known"),
        ("predict?reference=a", ["file", "reference"], 422, "two references"),
    ],
)
def test_forms_that_do_not_go_together(path: str, fields: list[str], status: int, said: str) -> None:
    parts = [(field, None if field == "reference" else "a.xyz", b"nothing") for field in fields]
    with serving() as address:
        answered, facts = post(address, path, *parts)
    assert (answered, said in facts["detail"]) == (status, True), facts


def test_good_scans_without_a_name_are_told_from_the_scan() -> None:
    with serving() as address:
        for path, parts in (("predict", [("file", "a.xyz", b"nothing")]), ("reference", [])):
            status, facts = post(address, path, *parts, ("good", "", b""))
            assert status == 422 and facts["detail"] == "a good scan has no name; send it with one in filename="


def test_an_empty_name_of_a_reference_is_not_passed_over() -> None:
    scan, unnamed, good = ("file", "a.xyz", b"nothing"), ("reference", None, b""), ("good", "b.xyz", b"nothing")
    with serving() as address:
        for path in ("predict", "view"):
            answers = [post(address, path, scan, unnamed), post(address, f"{path}?reference=", scan)]
            status, text = ask(f"{address}/{path}?name=a.xyz&reference=", b"nothing")
            for answered, facts in (*answers, (status, {"detail": text})):
                assert (answered, "the name of the reference is empty" in facts["detail"]) == (422, True), facts
        assert post(address, "predict?reference=a", scan, unnamed)[0] == 422
        assert post(address, "reference", good, unnamed)[0] == 400


def test_forms_without_an_end_are_refused() -> None:
    body, headers = form_of(("file", "a.xyz", b"nothing"), ("good", "b.xyz", b"nothing"))
    with serving() as address:
        for end in (b"--", b"--edge--", b"thing\r\n--edge--"):
            status, text = ask(f"{address}/predict", body.removesuffix(b"\r\n").removesuffix(end), **headers)
            assert status == 400 and "does not end" in text, "the good scan would be left out"


@pytest.mark.parametrize("field", ["file", "good", "reference"])
def test_fields_that_hold_the_wrong_kind_are_not_passed_over(field: str) -> None:
    wrong = (field, "a.xyz" if field == "reference" else None, b"nothing")
    with serving() as address:
        status, facts = post(address, "predict", ("file", "a.xyz", b"nothing"), wrong)
    assert status == 400 and f"'{field}'" in facts["detail"]


def test_files_are_bounded_together_and_leave_nothing_behind() -> None:
    good = [("good", f"{number}.xyz", b"nothing") for number in range(3)]
    with serving(largest_upload=100_000) as address:
        status, facts = post(address, "predict", ("file", "a.xyz", bytes(60_000)), ("good", "b.xyz", bytes(110_000)))
        assert status == 413 and "larger than 0.1 MB" in facts["detail"]
        status, facts = post(address, "predict", ("file", "../../a.xyz", b"nothing"), *good)
        paths = [Path(path) for path in facts["paths"] if path]
        assert status == 200 and len(paths) == 4 and len({path.parent for path in paths}) == 1
        assert not [path for path in paths if path.exists()]
        _, made = post(address, "reference", *good)
        kept = Path(made["paths"][0])
        assert kept.exists() and kept.stem == made["file"]
        _, used = post(address, "predict", ("file", "a.xyz", b"nothing"), ("reference", None, made["file"].encode()))
        assert used["paths"][1] == str(kept)
        for order, status in ((b"raise ValueError", 500), (b"abort", 500)):
            assert post(address, "reference", ("good", "a.xyz", order))[0] == status
        assert list(kept.parent.iterdir()) == [kept]
    assert not kept.parent.exists()


def test_the_reference_used_longest_ago_goes_first(tmp_path: Path) -> None:
    kept = KeptReferences(tmp_path, most=2)
    names = []
    for _ in range(3):
        name, path = kept.new()
        path.write_text("made")
        kept.keep(name, path, {name.encode(): f"{name}.ply"})
        names.append(name)
        assert kept.path(names[0]) is not None  # which is used all the time
    assert [kept.path(name) is not None for name in names] == [True, False, True]
    assert len(list(tmp_path.iterdir())) == len(kept) == 2 and len(set(names)) == 3
    assert kept.path("../" + names[0]) is None
    assert [list(kept.good_in(tmp_path / f"{name}.safetensors").values()) for name in names] == [
        [f"{names[0]}.ply"],
        [],
        [f"{names[2]}.ply"],
    ]


@pytest.mark.parametrize(
    ("good_scans", "said"), [(0, "without good scans (zero-shot)"), (3, "the 3 good scans of this")]
)
def test_the_page_says_what_scans_are_compared_with_at_first(good_scans: int, said: str) -> None:
    page = drop_page(Model("ViT", False, good_scans))
    assert said in page and "STANDARD" not in page and ("zero-shot" in page) == (good_scans == 0)


def test_the_good_scans_of_the_service_are_told(detector: PointAD, good: list[Path]) -> None:
    reference = detector.make_reference([points_of(path) for path in good])
    assert ScanInspector(detector, reference).model.good_scans == 2 and ScanInspector(detector).model.good_scans == 0


def test_pages_of_other_sites_may_not_send_good_scans() -> None:
    with serving() as address:
        status, facts = post(address, "reference", ("good", "a.xyz", b"nothing"), Origin="https://evil.example")
    assert status == 403 and "another site" in facts["detail"]


@pytest.mark.browser
@pytest.mark.skipif(browser_path() is None, reason="no Chromium is installed")
def test_page_compares_scans_with_good_ones(address: str, good: list[Path], ply: Path, tmp_path: Path) -> None:
    with HeadlessChromium() as browser:
        browser.open(f"{address}/")
        browser.choose_file("#good", *good)
        browser.choose_file("#file", ply, good[0])  # scans wait for the good ones
        browser.wait_for("document.querySelector('#status').textContent === 'Done.'")
        assert "2 good scans (2-shot)" in str(browser.evaluate("document.querySelector('#compared').textContent"))
        assert browser.evaluate("document.querySelectorAll('article').length") == 2
        score = float(str(browser.evaluate("document.querySelector('#score').textContent")))
        beside = post(address, "predict", ("file", "blob.ply", ply.read_bytes()), *sent_good(good))[1]
        assert score == pytest.approx(beside["score"], abs=1e-4)
        assert "Compared with 2 good scans" in str(browser.evaluate("document.querySelector('#result').innerText"))

        browser.evaluate("document.querySelector('#forget').click()")
        browser.choose_file("#file", ply)
        browser.wait_for("document.querySelector('#result').innerText.includes('zero-shot')")
        broken = tmp_path / "broken.stl"
        broken.write_text("nothing")
        browser.choose_file("#good", good[0], broken)
        browser.wait_for("document.querySelector('#compared').className === 'error'")
        said = str(browser.evaluate("document.querySelector('#compared').textContent"))
        assert "broken.stl" in said and "without good scans (zero-shot)" in said
