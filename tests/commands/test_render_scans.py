"""Scans that belong to no data set are rendered from any format."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from pointad.commands import render_scans
from pointad.data import layout, rendered_files
from pointad.errors import InputError
from pointad.files.locks import try_lock
from pointad.scans.files import read_scan
from pointad.scans.scan_file import ScanFile


def test_a_mesh_a_cloud_and_a_broken_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh.creation.torus(30, 10).export(tmp_path / "ring.stl")
    points = trimesh.creation.icosphere(4).vertices * 7 + 100
    np.save(tmp_path / "ball.npy", points)
    (tmp_path / "broken.ply").write_bytes(b"ply")
    output = tmp_path / "pictures"
    flags = [str(tmp_path), "--save_path", str(output), "--views", "x-30", "y45.5", "--point_size", "6"]
    arguments = render_scans.build_parser().parse_args(flags)
    assert render_scans.main(arguments) == 2
    said = capsys.readouterr()
    assert "2 scans rendered" in said.out and "1 failed" in said.out and "broken.ply" in said.err
    for name in ("ring", "ball"):
        files = layout.SampleFiles(output, name, "unlabelled", name)
        assert layout.is_finished(files, 2) and not layout.is_finished(files, 3)
        views = rendered_files.read_views(files.views, range(2))
        assert (views == 255).mean() < 0.95 and (views < 255).mean() > 0.05
        rendered = rendered_files.read_correspondences(files.correspondences, range(2))
        kept = np.load(files.folder / "points.npy")
        assert kept.shape == (rendered.shape[1], 3)
        if name == "ball":
            np.testing.assert_array_equal(np.unique(kept, axis=0), np.unique(points, axis=0))
    # The files that it wrote are not taken for scans.
    (tmp_path / "ring.stl").unlink()
    render_scans.main(arguments)
    assert "1 scan rendered" in capsys.readouterr().out


@pytest.fixture
def rendered_ball(tmp_path: Path) -> tuple[layout.SampleFiles, list[str]]:
    """A rendered scan, and the flags that it was rendered with; another scan of its name has taken its place."""
    np.save(tmp_path / "ball.npy", trimesh.creation.icosphere(3).vertices)
    flags = [str(tmp_path / "ball.npy"), "--save_path", str(tmp_path / "out"), "--views", "x0"]
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 0
    np.save(tmp_path / "ball.npy", trimesh.creation.icosphere(2).vertices)
    return layout.SampleFiles(tmp_path / "out", "ball", "unlabelled", "ball"), flags


def test_two_runs_do_not_mix_scans_of_one_name(
    rendered_ball: tuple[layout.SampleFiles, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, flags = rendered_ball
    written = []

    def render_while_another_run_writes(*arguments: object, **options: object) -> object:
        files.views.mkdir(parents=True)
        (files.views / "view_7.png").write_text("of another scan of this name")
        return render(*arguments, **options)

    def seen_by_another_run(name: str) -> None:
        original = getattr(render_scans, name)

        def change(*arguments: object) -> None:
            with try_lock(files.lock) as is_free:
                assert not is_free
            written.append(name)
            original(*arguments)

        monkeypatch.setattr(render_scans, name, change)

    render = render_scans.render
    monkeypatch.setattr(render_scans, "render", render_while_another_run_writes)
    seen_by_another_run("remove_earlier")
    seen_by_another_run("write_rendered_sample")
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 0
    assert written == ["remove_earlier", "remove_earlier", "write_rendered_sample"]
    assert [path.name for path in files.views.iterdir()] == ["view_0.png"]


def test_the_last_line_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = tmp_path / "ball.npy"
    np.save(scan, trimesh.creation.icosphere(3).vertices)
    flags = [str(scan), "--save_path", str(tmp_path / "two\nlines\x1b[31m"), "--views", "1"]
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and r"two\nlines\x1b" in said


def test_a_file_is_no_place_for_renderings(tmp_path: Path) -> None:
    scan, place = tmp_path / "ball.npy", tmp_path / "out"
    np.save(scan, trimesh.creation.icosphere(3).vertices)
    place.write_text("a file")
    with pytest.raises(InputError, match="out: is not a folder; choose another output folder"):
        render_scans.main(render_scans.build_parser().parse_args([str(scan), "--save_path", str(place)]))


def test_a_folder_with_too_long_a_name_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "ball.npy", trimesh.creation.icosphere(3).vertices)
    flags = [str(tmp_path / "ball.npy"), "--save_path", str(tmp_path / ("x" * 300)), "--views", "1"]
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 2
    said = capsys.readouterr().err
    assert "File name too long" in said and "OSError" not in said


def test_renderings_of_an_earlier_scan_do_not_stay_for_one_that_fails(
    rendered_ball: tuple[layout.SampleFiles, list[str]],
) -> None:
    files, flags = rendered_ball
    Path(flags[0]).write_bytes(b"no scan")
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 2
    assert not [path for path in files.folder.rglob("*") if path.is_file()]


def test_points_of_a_killed_run_do_not_lie_beside_renderings_of_others(
    rendered_ball: tuple[layout.SampleFiles, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, flags = rendered_ball

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(render_scans, "write_rendered_sample", interrupt)
    with pytest.raises(KeyboardInterrupt):
        render_scans.main(render_scans.build_parser().parse_args(flags))
    assert not files.views.exists() and not files.correspondences.exists()


def test_points_replace_no_scan(tmp_path: Path) -> None:
    scan = tmp_path / "out" / "points" / "test" / "unlabelled" / "points.npy"
    scan.parent.mkdir(parents=True)
    np.save(scan, trimesh.creation.icosphere(2).vertices)
    before = scan.read_bytes()
    with pytest.raises(InputError, match="would be replaced by a result"):
        render_scans.main(render_scans.build_parser().parse_args([str(scan), "--save_path", str(tmp_path / "out")]))
    assert scan.read_bytes() == before


def test_files_of_others_among_renderings_are_kept(
    rendered_ball: tuple[layout.SampleFiles, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    files, flags = rendered_ball
    mine = files.correspondences / "notes.txt"
    mine.write_text("mine")
    (files.views / ".DS_Store").touch()
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 2
    assert f"{mine}: was not written by the renderer" in capsys.readouterr().err
    assert mine.read_text() == "mine" and (files.views / "view_0.png").is_file()
    mine.unlink()
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 0


@pytest.mark.parametrize(
    ("error", "said"), [(MemoryError(), "{}: does not fit into memory"), (ZeroDivisionError("a fault"), "a fault")]
)
def test_no_scan_stops_the_others(
    error: Exception, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for path in paths:
        np.save(path, trimesh.creation.icosphere(3).vertices)

    def fail_on_the_first(path: Path) -> ScanFile:
        if path == paths[0]:
            raise error
        return read_scan(path)

    monkeypatch.setattr(render_scans, "read_scan", fail_on_the_first)
    flags = [*map(str, paths), "--save_path", str(tmp_path / "out"), "--views", "x0"]
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 2
    shown = capsys.readouterr()
    assert said.format(paths[0]) in shown.err and "1 scan rendered" in shown.out and "1 failed" in shown.out


def test_errors_name_the_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "few.npy", np.random.default_rng(0).random((50, 3)))
    np.save(tmp_path / "ball.npy", trimesh.creation.icosphere(3).vertices)
    flags = [str(tmp_path), "--save_path", str(tmp_path / "out"), "--views", "x0", "--remove_table"]
    assert render_scans.main(render_scans.build_parser().parse_args(flags)) == 2
    said = capsys.readouterr().err
    assert "few.npy: has no pixel grid" in said and "ball.npy: has no pixel grid" in said
    assert render_scans.main(render_scans.build_parser().parse_args(flags[:-1])) == 2
    assert "few.npy: holds 50 points" in capsys.readouterr().err


@pytest.mark.parametrize("views", [["z30"], ["x"], ["0"], ["x1e3"]])
def test_views_that_are_none(views: list[str]) -> None:
    with pytest.raises(SystemExit):
        render_scans.build_parser().parse_args(["a.ply", "--save_path", "out", "--views", *views])
