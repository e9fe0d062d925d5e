"""Rows of one table that belong to different protocols are marked, and published figures bear their source."""

from collections.abc import Callable
from dataclasses import replace

from pointad.report.formats import to_csv, to_latex, to_markdown
from pointad.report.protocol_notes import marks, run_notes
from pointad.report.protocol_tables import TableRow, protocol_tables
from pointad.report.runs import Run

MakeRun = Callable[..., Run]


def test_rows_of_the_standard_protocol_bear_no_mark(run_of: MakeRun) -> None:
    (table,) = protocol_tables([run_of(0.5, sigma=4.0, fusion="both")])
    (own,) = (row for row in table.rows if not row.is_published)
    assert own.notes == () and table.method_text(own) == "PointAD"
    assert "excluded" in table.standard and "zero-shot" in table.standard


def test_other_protocols_are_marked_and_explained(run_of: MakeRun) -> None:
    runs = [
        run_of(0.5, "a"),
        run_of(0.6, "b", sigma=2.0),
        run_of(0.7, "c", shots=4, draws=5, good_from="test", fusion="map"),
        run_of(0.8, "d", fusion="map"),
        run_of(0.9, "e", prompts="ensemble", protocol=None, training_class=None),
    ]
    (table,) = protocol_tables(runs)
    own = {round(row.metrics["image_auroc"].mean, 1): row.notes for row in table.rows if not row.is_published}
    assert own == {
        0.5: (),
        0.6: ("σ 2",),
        0.7: ("4-shot: 4 good scans of each class; drawn from the test split; mean over 5 draws",),
        0.8: ("fusion map",),
        0.9: ("nothing learned, no class excluded",),
    }
    text = to_markdown([table]).replace("\\", "")
    for note, letter in table.marks.items():
        assert f"[{letter}] {note}." in text
    assert "Protocol unless marked" in text


def test_published_rows_bear_source_and_procedure(run_of: MakeRun) -> None:
    (table,) = protocol_tables([run_of(0.5)])
    published = [row for row in table.rows if row.is_published]
    assert published and all(row.notes and row.notes[0].startswith("published: ") for row in published)
    assert any("200 thresholds" in note for row in published for note in row.notes)
    assert "arXiv 2602.19206" in to_csv([table]) and "arXiv 2602.19206" in to_latex([table])


def test_part_of_a_data_set_is_marked(run_of: MakeRun) -> None:
    (table,) = protocol_tables([run_of(0.5, classes=("bagel", "tire"), training_class="carrot")])
    (own,) = (row for row in table.rows if not row.is_published)
    assert own.notes == ("only the classes bagel, tire",)


def test_means_over_a_part_are_marked(run_of: MakeRun) -> None:
    whole = run_of(0.5, "a", classes=("bagel", "tire"), seed=1)
    figures = {
        "bagel": {"point": {"image_auroc": 0.7, "image_ap": 0.9}},
        "tire": {"point": {"image_auroc": None, "image_ap": 0.9}},
    }
    partial = run_of(0.7, "b", seed=2)
    partial = replace(partial, results=replace(partial.results, classes=figures))
    (table,) = protocol_tables([whole, partial])
    (own,) = (row for row in table.rows if not row.is_published)
    assert own.notes == (
        "only the classes bagel, tire",
        "I-AUROC is undefined in 1 of 2 classes",
        "I-AP is the mean over 1 of 2 runs",
    )
    (table,) = protocol_tables([whole])
    (own,) = (row for row in table.rows if not row.is_published)
    assert own.notes == ("only the classes bagel, tire",)


def test_marks_go_on_after_z() -> None:
    letters = marks([[str(number) for number in range(30)]])
    assert [letters[str(number)] for number in (0, 25, 26, 29)] == ["a", "z", "aa", "ad"]


def test_classes_learned_from_before_are_told(run_of: Callable[..., Run]) -> None:
    before = {"learned_before": ["mvtec_pc_3d_rgb/rope", "eye_pc_3d_rgb/Confetto"]}
    one_vs_rest = run_of(0.5, training_class="bagel", training=before)
    note = "without rope, which the prompts learned from, too"
    assert run_notes([one_vs_rest]) == (note,)
    assert note not in run_notes([run_of(0.5, training_class="bagel")])
    elsewhere = {"training_dataset": "eye_pc_3d_rgb", "training_class": "Confetto", "protocol": "cross-dataset"}
    learned = "learned from Eyecandies"
    assert run_notes([run_of(0.5, training=before, **elsewhere)]) == (learned, note)
    assert run_notes([run_of(0.5, **elsewhere)]) == (learned,)


def test_cross_dataset_rows_say_which_other_data_set_unless_it_is_the_papers(run_of: MakeRun) -> None:
    def row(name: str, dataset: str = "mvtec_pc_3d_rgb", tested: str = "eye_pc_3d_rgb", **training: object) -> TableRow:
        facts = {"training_class": name, "training_dataset": dataset, "dataset": tested, "training": training}
        (table,) = protocol_tables([run_of(0.5, protocol="cross-dataset", **facts)])
        (own,) = (row for row in table.rows if not row.is_published)
        return own

    assert row("carrot").notes == ()
    assert row("seahorse", "real_pc_3d_rgb").notes == ("learned from Real3D-AD",)
    assert row("carrot", dataset="").notes == ("learned from an unknown data set",)
    assert row("gear").notes == ("learned from data in the format mvtec_pc_3d_rgb",)
    demo = row("gear", tested="mvtec_pc_3d_rgb", dataset_title="demo data (MVTec 3D-AD format)")
    assert (demo.dataset, demo.notes) == ("MVTec 3D-AD", ("learned from demo data (MVTec 3D-AD format)",))


def test_a_beginning_of_unknown_origin_is_told(run_of: MakeRun) -> None:
    assert run_notes([run_of(0.5, training={"init_checkpoint": "a.pth"})]) == ("began with prompts of unknown origin",)
