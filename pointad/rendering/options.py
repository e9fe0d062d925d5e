"""The options of rendering, the published one first; nothing here imports what draws."""

NORMALS_METHODS = ("exact", "grid")
VISIBILITIES = ("nearest", "splat")
CORRESPONDENCES = ("truncated", "centred")
