"""Which settings are told to differ from those of the training."""

from pointad.evaluation.agreement import differences
from pointad.evaluation.run_record import RunRecord, TrainingRecord


def test_records_from_before_the_choice_of_fusions_were_made_by_the_mean() -> None:
    older = TrainingRecord.from_json({"training_class": "gear", "precision": "fp32"})
    assert differences(older, RunRecord(view_fusion="mean"), same_dataset=True) == ()
    assert differences(older, RunRecord(view_fusion="max"), same_dataset=True) == ("trained with views fused by mean",)
    assert differences(TrainingRecord(), RunRecord(view_fusion="max"), same_dataset=True) == ()  # nothing is known
