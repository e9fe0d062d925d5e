"""A cloud and its rendering options: the common input of both drawing backends, NumPy and PyTorch."""

from dataclasses import dataclass

import numpy as np

from pointad.rendering.views import ViewRig

SURFACE_TOLERANCE = 0.02  # of the cloud's extent; a splat on a steep slope covers its neighbours by less


@dataclass(frozen=True)
class Scene:
    """A validated cloud of N points after the rig's first rotation, and the options fixed for it."""

    centred: np.ndarray  # (3, N) float64, the points relative to their mean
    center: np.ndarray  # (3,) float64, that mean, which the views rotate about
    normals: np.ndarray  # (3, N) float32 unit vectors, any sign
    labels: np.ndarray | None  # (N,) bool; None: no point is anomalous
    rig: ViewRig
    point_size: int  # in the rig's window; set even if the rig does not fix it
    image_size: int  # side of the pictures in pixels
    surface_visibility: bool  # see the rules of `render`
    centred_correspondence: bool
