"""The options of scoring; nothing here imports torch."""

DEFAULT_SIGMA = 4.0  # pixels
FUSIONS = ("both", "map", "global")  # the components of a sample's score; the paper uses both
