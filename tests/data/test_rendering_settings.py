"""A folder of renderings holds one kind, and its lists miss no sample."""

import dataclasses
import json
import shutil
import threading
import time
from pathlib import Path

import pytest

from pointad.data.export import RENDERED, SKIPPED, export_samples
from pointad.data.listing import write_metadata
from pointad.data.metadata import read_metadata
from pointad.data.opening import list_dataset
from pointad.data.raw import RenderingOptions, list_raw_samples
from pointad.data.rendering_settings import agree_on_settings, note_device, stored_views
from pointad.datasets.registry import specification
from pointad.errors import InputError
from pointad.files.locks import wait_for_lock
from pointad.rendering.views import View

ONE_VIEW = RenderingOptions(views=(View("x", 0),))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (RenderingOptions(views=(View("x", 15),)), "views was x0, now x15"),
        (RenderingOptions(), "views was x0, now x-45 x-15 x0"),
        (RenderingOptions(views=ONE_VIEW.views, visibility="splat"), "visibility was nearest, now splat"),
        (RenderingOptions(views=ONE_VIEW.views, image_size=100), "image_size was 336, now 100"),
        (RenderingOptions(views=ONE_VIEW.views, point_size=3), "point_size was the data set's own, now 3"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_other_settings_are_refused(
    options: RenderingOptions, named: str, overwrite: bool, mvtec_root: Path, tmp_path: Path
) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[:1]
    (tmp_path / "rendering.json").write_text(json.dumps(settings()))
    with pytest.raises(InputError, match=named):
        list(export_samples(samples, tmp_path, options, overwrite=overwrite))
    assert [path.name for path in tmp_path.iterdir()] == ["rendering.json"]


def test_a_number_of_views_beyond_any_rig_is_refused(tmp_path: Path) -> None:
    """The name of a file alone must not claim memory for a hundred billion views."""
    (tmp_path / "view_99999999999.png").touch()
    with pytest.raises(InputError, match=r"view_99999999999\.png: is beyond the 1000 views"):
        stored_views(tmp_path, specification("mvtec_pc_3d_rgb"), [tmp_path])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"metres_per_unit": 1e400}', "does not contain the settings"),  # results.json could not say it
        ('{"metres_per_unit": "x"}', "does not contain the settings"),
        ('{"views": ["q"]}', "holds an invalid view"),
        ('{"views": ["x0", "y5", "x0"]}', "contains a direction twice"),
        ('{"views": ["x0", "y5", "x360"]}', "contains a direction twice"),
    ],
)
def test_settings_that_are_none_are_refused(content: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "rendering.json").write_text(content)
    with pytest.raises(InputError, match=f"rendering.json: {named}"):
        stored_views(tmp_path, specification("mvtec_pc_3d_rgb"), [])


def settings() -> dict[str, object]:
    from pointad.data.rendering_settings import settings_of

    return settings_of("mvtec_pc_3d_rgb", ONE_VIEW)


def test_a_folder_is_read_in_the_format_that_it_was_rendered_from(tmp_path: Path) -> None:
    """Otherwise the class that prompts were learned from would be tested as one of another data set."""
    (tmp_path / "rendering.json").write_text(json.dumps(settings()))
    (tmp_path / "all_meta.json").write_text('{"train": {}, "test": {}}')
    told = "was rendered from mvtec_pc_3d_rgb, not real_pc_3d_rgb; give --dataset mvtec_pc_3d_rgb"
    with pytest.raises(InputError, match=told):
        list_dataset(specification("real_pc_3d_rgb"), tmp_path)
    with pytest.raises(InputError, match=told):
        write_metadata(tmp_path, "real_pc_3d_rgb")
    with pytest.raises(InputError, match="lists no sample"):  # as far as its format is concerned it is read
        list_dataset(specification("mvtec_pc_3d_rgb"), tmp_path)
    (tmp_path / "rendering.json").write_text('{"dataset": "foo"}')
    with pytest.raises(
        InputError, match="was rendered from foo, not real_pc_3d_rgb; render the scans again, as one of"
    ):
        list_dataset(specification("real_pc_3d_rgb"), tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "7", "{", '{"views": 3}', '{"devices": [1]}'])
def test_notes_that_say_nothing_are_refused(content: str, mvtec_root: Path, tmp_path: Path) -> None:
    (tmp_path / "rendering.json").write_text(content)
    with pytest.raises(InputError, match=r"rendering|was rendered with other settings"):
        list(export_samples(list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[:1], tmp_path, ONE_VIEW))


def test_same_settings_go_on_and_old_folders_are_taken_over(
    mvtec_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[:1]
    assert [outcome.status for outcome in export_samples(samples, tmp_path, ONE_VIEW)] == [RENDERED]
    assert json.loads((tmp_path / "rendering.json").read_text())["views"] == ["x0"]
    assert [outcome.status for outcome in export_samples(samples, tmp_path, ONE_VIEW)] == [SKIPPED]
    assert not caplog.records
    (tmp_path / "rendering.json").unlink()
    assert [outcome.status for outcome in export_samples(samples, tmp_path, ONE_VIEW)] == [SKIPPED]
    assert "renderings without rendering.json" in caplog.text
    assert (tmp_path / "rendering.json").is_file()


def test_devices_are_noted_and_not_compared(mvtec_root: Path, tmp_path: Path) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[:2]
    on_gpu = dataclasses.replace(ONE_VIEW, device="cuda:1")
    list(export_samples(samples[:1], tmp_path, ONE_VIEW))
    assert json.loads((tmp_path / "rendering.json").read_text())["devices"] == ["cpu"]
    agree_on_settings(tmp_path, "mvtec_pc_3d_rgb", on_gpu)
    list(export_samples(samples[:1], tmp_path, on_gpu))  # nothing is left to draw
    assert json.loads((tmp_path / "rendering.json").read_text())["devices"] == ["cpu"]
    note_device(tmp_path, "cuda:1")
    note_device(tmp_path, "cuda:0")
    assert json.loads((tmp_path / "rendering.json").read_text())["devices"] == ["cpu", "cuda"]
    (tmp_path / "rendering.json").write_text(json.dumps(settings()))  # as older versions stored them
    list(export_samples(samples, tmp_path, ONE_VIEW))
    assert json.loads((tmp_path / "rendering.json").read_text()) == {**settings(), "devices": ["cpu"]}


def test_a_sample_that_is_finished_while_another_run_lists_is_listed(mvtec_root: Path, tmp_path: Path) -> None:
    samples = list_raw_samples("mvtec_pc_3d_rgb", mvtec_root)[:2]
    list(export_samples(samples, tmp_path, ONE_VIEW))
    (late,) = (tmp_path / samples[1].class_name / "test" / samples[1].species / "2d_rendering").glob(
        samples[1].identifier
    )
    away = tmp_path / "away"
    late.rename(away)
    lister = threading.Thread(target=write_metadata, args=(tmp_path, "mvtec_pc_3d_rgb"))
    with wait_for_lock(tmp_path / ".listing.lock"):  # another run writes its list
        lister.start()
        time.sleep(0.3)
        away.rename(late)
    lister.join()
    assert len(read_metadata(tmp_path)) == 2
    assert not list(tmp_path.glob(".*"))
    shutil.rmtree(tmp_path)
