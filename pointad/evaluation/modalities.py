"""What a score is computed from: the points, the RGB picture, or both."""

MODALITY_TITLES = {"point": "Point", "color": "Colour", "fused": "Fused (multimodal)"}
MODALITY_LABELS = {"point": "point", "color": "colour", "fused": "fused"}
MODALITIES = tuple(MODALITY_TITLES)
