"""How a pre-training goes: how long its stages are and how fast they learn."""

from dataclasses import dataclass

from pretraining.pictures import PICTURE_SIDE
from pretraining.small_clip import PATCH_SIDE

CUT_OUT_SIDE = 10 * PATCH_SIDE  # pixels; what is local can be learned from less than a whole picture
WHOLE_PICTURES = 2  # so many times fewer whole pictures make a batch than cut-outs


@dataclass(frozen=True)
class LearningPlan:
    """The stages one after the other: wording, guide, pictures, and pictures without the guide."""

    wording_steps: int
    guide_steps: int
    steps: int  # of the image encoder beside the guide
    alone_steps: int  # of the image encoder afterwards, on whole pictures
    guide_objects: int = 8000  # the guide learns from the first ones, while the others may still be made
    batch_size: int = 512  # cut-outs a step, of all processes together
    wording_rate: float = 1e-3  # learning rates
    guide_rate: float = 2e-3
    rate: float = 2e-3
    position_share: float = 0.1  # of the wording rate; small positions leave learned prompts room to matter
    weight_decay: float = 0.05
    average: float = 0.998  # of the running mean of the image encoder's weights, which is what is kept
    alone_rate: float = 7e-4
    guide_cut_out_steps: float = 0.75  # share of the steps, the first ones, that see cut-outs instead of whole pictures
    cut_out_steps: float = 0.6
    wordings: int = 256  # ways of saying the states
    start_pictures: int = 192  # that the image encoder's first filters are taken from
    report_every: int = 100
    seed: int = 0


def pictures_at(step: int, steps: int, cut_out_steps: float, batch_size: int) -> tuple[int, int]:
    """Side of the pictures of a step, counted from 0, and how many there are: cut-outs first, whole pictures last."""
    if step >= cut_out_steps * steps:
        return PICTURE_SIDE, max(2, batch_size // WHOLE_PICTURES)
    return CUT_OUT_SIDE, batch_size
