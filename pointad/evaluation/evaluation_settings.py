"""What can be chosen about an evaluation."""

from dataclasses import dataclass

from pointad.metrics import PUBLISHED_METRICS
from pointad.metrics.aupro import AuproMethod
from pointad.metrics.pixel_scores import EXACT_PIXELS
from pointad.scoring.back_projection import MEAN
from pointad.scoring.options import DEFAULT_SIGMA


@dataclass(frozen=True)
class EvaluationSettings:
    """How samples are scored and what is measured."""

    sigma: float = DEFAULT_SIGMA
    view_fusion: str = MEAN  # how the scores of the views that see a point are combined
    fusion: str = "both"  # how the samples' scores are composed, see pointad.scoring.fusion
    metrics: tuple[str, ...] = PUBLISHED_METRICS
    aupro: AuproMethod = "exact"
    groups: tuple[str, ...] = ()  # of species, also measured separately; see `pointad.datasets.base.group_of`
    exact_pixels: int = EXACT_PIXELS  # per class; pixel metrics of more are binned, with a bounded error
    allow_empty_masks: bool = False  # anomalous samples without a marked point count for image-level metrics only
    batch_size: int | None = None  # samples that are encoded together; None: chosen to suit the device
    keep_views: bool = True  # whether scored samples keep their views, for visualization
    num_workers: int = 0
    description: str | None = "testing"  # label of the progress bar; None shows none
