"""PointAD: zero-shot 3D anomaly detection from multi-view renderings and CLIP (NeurIPS 2024)."""

__version__ = "0.1.0"
