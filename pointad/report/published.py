"""Published figures for comparison with your own: means over classes, each with its source and protocol."""

from dataclasses import dataclass

from pointad.metrics.class_metrics import PUBLISHED_METRICS

PUBLISHED_BACKBONE = "ViT-L/14@336px"


@dataclass(frozen=True)
class PublishedRow:
    """One row of a paper's tables; metrics that it does not report are missing."""

    method: str
    protocol: str
    dataset: str  # as `DatasetSpecification.name`
    modality: str
    metrics: dict[str, float]  # metric -> fraction
    source: str

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes that a table must give: the source, and how AUPRO was measured."""
        measured = ("AUPRO with 200 thresholds, rates re-scaled",) if "pixel_aupro" in self.metrics else ()
        return (self.source, *measured)


POINTAD = "published: PointAD, NeurIPS 2024 (arXiv 2410.00320); mean over three training classes"
POINTAD_SHAPENET = "published: PointAD on Anomaly-ShapeNet, one-vs-rest; training classes not verified here"
GS_CLIP = "published: GS-CLIP (arXiv 2602.19206), zero-shot; one-vs-rest and training classes assumed, not verified"
MVP_PCLIP = "published: MVP-PCLIP, zero-shot; quoted second-hand, one-vs-rest assumed, not verified"
ALIGN3D = "published: Align3D-AD, zero-shot, cross-dataset; quoted second-hand, training data not verified here"


def _row(
    method: str, protocol: str, dataset: str, modality: str, *percentages: float | None, source: str = POINTAD
) -> PublishedRow:
    named = zip(PUBLISHED_METRICS, percentages, strict=True)
    metrics = {name: value / 100 for name, value in named if value is not None}
    return PublishedRow(method, protocol, dataset, modality, metrics, source)


def _image_level(method: str, protocol: str, dataset: str, percentage: float, source: str) -> PublishedRow:
    return _row(method, protocol, dataset, "point", percentage, None, None, None, source=source)


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
    _row("PointAD", "one-vs-rest", "shapenet_pc_3d", "point", 82.6, None, 74.1, None, source=POINTAD_SHAPENET),
    _image_level("GS-CLIP", "one-vs-rest", "mvtec_pc_3d_rgb", 83.6, GS_CLIP),
    _image_level("GS-CLIP", "one-vs-rest", "eye_pc_3d_rgb", 71.5, GS_CLIP),
    _image_level("GS-CLIP", "one-vs-rest", "real_pc_3d_rgb", 76.4, GS_CLIP),
    _image_level("MVP-PCLIP", "one-vs-rest", "mvtec_pc_3d_rgb", 71.9, MVP_PCLIP),
    _image_level("MVP-PCLIP", "one-vs-rest", "real_pc_3d_rgb", 55.3, MVP_PCLIP),
    _image_level("Align3D-AD", "cross-dataset", "mvtec_pc_3d_rgb", 83.0, ALIGN3D),
    _image_level("Align3D-AD", "cross-dataset", "real_pc_3d_rgb", 76.1, ALIGN3D),
)
