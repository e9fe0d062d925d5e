"""What the programs say about a number that a flag does not take is true."""

from typing import Any

import pytest

from pointad.commands import (
    feature_cache,
    make_demo_data,
    predict,
    render_dataset,
    render_scans,
    report,
    serve,
    test,
    train,
)
from pointad.commands.parsing import parse

RENDERING = ["--dataset", "mvtec_pc_3d_rgb", "--data_path", "raw", "--save_path", "rendered"]


def said_about(module: object, flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        module.build_parser().parse_args([f"{flag}={value}"])  # type: ignore[attr-defined]
    return capsys.readouterr().err.splitlines()[-1].partition(f"argument {flag}: ")[2]


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e400"])
@pytest.mark.parametrize(
    ("module", "flag", "beginning"), [(predict, "--sigma", ""), (train, "--loss_weights", "d2_pixel_loss=")]
)
def test_zero_is_taken_and_not_excluded_by_the_message(
    module: object, flag: str, beginning: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_about(module, flag, beginning + value, capsys) == f"{value} is not a finite number of at least 0"
    module.build_parser().parse_args([f"{flag}={beginning}0", *(["a.ply"] if module is predict else [])])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("module", "flag", "value", "said"),
    [
        (predict, "--sigma", "1e13", "1e13 is larger than 2048"),
        (predict, "--metres_per_unit", "1e-300", "1e-300 is smaller than 1e-12"),
        (predict, "--quantile", "1e13", "1e13 is larger than 1"),
        (serve, "--scan_memory", "1e13", "1e13 is larger than 1e+06"),
        (serve, "--scan_memory", "0.003", "0.003 is less than any scan takes (0.1)"),
        (predict, "--views", "1.5", "'1.5' is neither a number of views nor an axis and degrees, such as x-45 or y30"),
        (predict, "--views", "-1", "'-1' is neither a number of views nor an axis and degrees, such as x-45 or y30"),
        (render_scans, "--point_pixels", "large", "'large' is neither auto nor a whole number from 1 to 2048"),
        (render_scans, "--point_pixels", "0", "'0' is neither auto nor a whole number from 1 to 2048"),
        (render_dataset, "--num_workers", "1000000", "1000000 is larger than 1024"),
        (make_demo_data, "--workers", "1000000", "1000000 is larger than 1024"),
        (make_demo_data, "--good", "1000000000000", "1000000000000 is larger than 1024"),
        (test, "--draws", "1000000000", "1000000000 is larger than 1024"),
    ],
)
def test_the_message_names_all_that_the_flag_takes(
    module: object, flag: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said_about(module, flag, value, capsys) == said


@pytest.mark.parametrize(
    ("module", "words", "flag", "repeated"),
    [
        (train, ["--losses", "d2_pixel_loss", "d2_pixel_loss"], "--losses", "d2_pixel_loss"),
        (test, ["--shots", "1", "2", "01"], "--shots", "1"),
        (test, ["--extra_metrics", "image_auroc", "image_auroc"], "--extra_metrics", "image_auroc"),
        (test, ["--features_list", "6", "6"], "--features_list", "6"),
        (report, ["runs", "--modalities", "point", "fused", "point"], "--modalities", "point"),
        (render_dataset, [*RENDERING, "--classes", "gear", "gear"], "--classes", "gear"),
        (make_demo_data, ["--classes", "gear", "gear"], "--classes", "gear"),
    ],
)
def test_a_value_that_a_list_repeats_is_refused(
    module: Any, words: list[str], flag: str, repeated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(module.build_parser(), words)
    assert capsys.readouterr().err.endswith(f"error: argument {flag}: {repeated} is named twice; name it once\n")


@pytest.mark.parametrize("digits", ["1_5", "\u0663", "\uff11\uff15"])
@pytest.mark.parametrize(
    ("module", "flag", "text"),
    [
        (train, "--epoch", "{}"),
        (train, "--learning_rate", "0.{}"),
        (train, "--loss_weights", "d2_pixel_loss={}"),
        (test, "--shots", "{}"),
        (test, "--views", "{}"),
        (test, "--views", "x{}"),
        (test, "--sigma", "{}"),
        (predict, "--threshold", "{}"),
        (serve, "--port", "{}"),
        (render_dataset, "--shard", "1/{}"),
        (render_dataset, "--keep_clusters", "0.{}"),
        (render_dataset, "--point_pixels", "{}"),
        (feature_cache, "--keep", "{}G"),
    ],
)
def test_numbers_are_taken_as_people_write_them(
    module: object, flag: str, text: str, digits: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python takes 1_5 for 15, which may have been meant for 1.5 or for two values, and the digits of any script."""
    said = said_about(module, flag, text.format(digits), capsys)
    assert digits in said and (" is not " in said or " is neither " in said)
