"""The options of scoring; nothing here imports torch."""

DEFAULT_SIGMA = 4.0  # pixels
LARGEST_SIGMA = 2048  # pixels; the memory of the kernel grows with it
FUSIONS = ("both", "map", "global")  # the components of a sample's score; the paper uses both
