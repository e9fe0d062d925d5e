"""The small detector of the tests in the second process of a service."""

from small_detector import make_backbone, make_text_features

from pointad.commands.service.child import Inspector


def make_inspector() -> Inspector:
    """Called in that process, which needs PyTorch then."""
    from pointad.commands.service.inspector import ScanInspector
    from pointad.inspection.predictor import PointAD

    backbone = make_backbone()
    return ScanInspector(PointAD(backbone, make_text_features(backbone)))
