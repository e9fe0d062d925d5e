"""The figures that the paper prints, to be read beside one's own (PointAD, NeurIPS 2024; means over classes)."""

from dataclasses import dataclass

from pointad.metrics.class_metrics import PUBLISHED_METRICS

PUBLISHED_BACKBONE = "ViT-L/14@336px"


@dataclass(frozen=True)
class PublishedRow:
    """One line of the paper's tables; metrics that the paper does not give are missing."""

    method: str
    protocol: str
    dataset: str  # as `DatasetSpecification.name`
    modality: str
    metrics: dict[str, float]  # metric -> fraction


def _row(method: str, protocol: str, dataset: str, modality: str, *percentages: float | None) -> PublishedRow:
    named = zip(PUBLISHED_METRICS, percentages, strict=True)
    metrics = {name: value / 100 for name, value in named if value is not None}
    return PublishedRow(method, protocol, dataset, modality, metrics)


PUBLISHED = (
    _row("CLIP + R.", "one-vs-rest", "mvtec_pc_3d_rgb", "point", 61.2, 85.8, None, 54.4),
    _row("PointAD-CoOp", "one-vs-rest", "mvtec_pc_3d_rgb", "point", 80.9, 93.9, 94.8, 82.0),
    _row("PointAD", "one-vs-rest", "mvtec_pc_3d_rgb", "point", 82.0, 94.2, 95.5, 84.4),
    _row("PointAD", "one-vs-rest", "eye_pc_3d_rgb", "point", 69.1, 73.8, 92.1, 71.3),
    _row("PointAD", "one-vs-rest", "real_pc_3d_rgb", "point", 74.8, 76.9, 73.5, None),
    _row("PointAD", "one-vs-rest", "mvtec_pc_3d_rgb", "fused", 86.9, 96.1, 97.2, 90.2),
    _row("PointAD", "one-vs-rest", "eye_pc_3d_rgb", "fused", 77.7, 80.4, 95.3, None),
    _row("PointAD", "cross-dataset", "eye_pc_3d_rgb", "point", 69.5, 74.3, 91.8, 71.4),
    _row("PointAD", "cross-dataset", "real_pc_3d_rgb", "point", 75.9, 77.9, 71.6, None),
    _row("PointAD", "cross-dataset", "eye_pc_3d_rgb", "fused", 78.6, 80.8, 94.0, 80.7),
)
