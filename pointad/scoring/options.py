"""What can be chosen when features become scores, for whoever offers the choice without calculating."""

DEFAULT_SIGMA = 4.0  # pixels
FUSIONS = ("both", "map", "global")  # what a sample's score is made of; the paper's is both
