"""Detects the viewing axis of an organized scan: usually z for sensors and x for robots."""

import numpy as np

from pointad.scans.central_box import central_box, within_reach

_SAMPLE = 20_000  # points
_CELLS = 100  # of the grid along the shorter side, of which normals are taken
_LEAST_EVIDENCE = 0.25  # of a scan whose camera is turned by 45 degrees twice as much remains
_LEAST_AGREEMENT = 0.05  # length of the mean of unit normals; noise of two pixels leaves 0.3, of ten 0.1
_OBLIQUE = 0.8  # of the largest component of the normal; z is kept as the axis from there on
_STRAIGHTER = 0.1  # how much less rays deviate from the pixel grid than the points, if the camera is at the origin
_STRAIGHT = 0.05  # how much rays of a camera deviate at most, of their spread
_TURNED = np.diag([1.0, -1.0, -1.0])  # by half a turn about x


def measured_pixels(xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels hold a point, and the rotation to the axes of a camera.

    A hole is not finite or has z == 0. If the scan does not look along z, where z == 0 is an ordinary height, all three
    coordinates of a hole are 0.

    Args:
        xyz: (H, W, 3) floats.

    Returns:
        Flags (H, W), and (3, 3) as from `viewing_rotation`.
    """
    finite = np.isfinite(xyz[..., 0]) & np.isfinite(xyz[..., 1]) & np.isfinite(xyz[..., 2])
    not_zero = finite & (xyz != 0).any(axis=-1)
    rotation = viewing_rotation(xyz, not_zero)
    return (finite & (xyz[..., 2] != 0) if abs(rotation[2, 2]) == 1 else not_zero), rotation


def viewing_rotation(xyz: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The rotation to the axes of a camera: x along the rows of pixels, y down the columns, z away from the camera.

    A camera sees every surface from its front. In right-handed axes, the product of the steps to the next column and to
    the next row therefore points away from it. The axis nearest to the mean of these normals becomes z, though z itself
    is kept up to a view of 51 degrees from it. If z points to the sensor, as heights above a table do and the axes of
    OpenGL, the scan is turned about x by half a turn; otherwise dents would be seen as bumps. Rays that meet in the
    origin show a camera there, whatever the handedness. Without order along the pixels, the rotation is the identity.

    Args:
        xyz: (H, W, 3) floats.
        present: (H, W) flags of the points to consider.

    Returns:
        (3, 3), orthogonal with determinant 1, to be applied to column vectors.
    """
    points, rows, columns = _sample(xyz, present)
    along_columns = _correlations(columns, points)
    facing = _mean_normal(xyz, present)
    ordered = _evidence(along_columns, _correlations(rows, points)).max() >= _LEAST_EVIDENCE
    if not ordered or np.linalg.norm(facing) < _LEAST_AGREEMENT:
        return np.eye(3)
    sizes = np.abs(facing)
    axis = 2 if sizes[2] >= _OBLIQUE * sizes.max() else int(sizes.argmax())
    if _is_seen_from_origin(points, rows, columns, axis):
        return np.eye(3)
    if axis == 2:
        return np.eye(3) if facing[2] > 0 else _TURNED
    along_columns[axis] = 0
    right = int(np.abs(along_columns).argmax())
    rotation = np.zeros((3, 3))
    rotation[0, right] = np.sign(along_columns[right])
    rotation[2, axis] = np.sign(facing[axis])
    rotation[1] = np.cross(rotation[2], rotation[0])
    return rotation


def follows_grid(xyz: np.ndarray, present: np.ndarray) -> bool:
    """Whether two coordinates grow or shrink with column and row, unlike the channels of a picture or of normals.

    Args:
        xyz: (H, W, 3) floats.
        present: (H, W) flags of the points to consider.
    """
    points, rows, columns = _sample(xyz, present)
    return bool(_evidence(_correlations(columns, points), _correlations(rows, points)).max() >= _LEAST_EVIDENCE)


def _sample(xyz: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N, 3) float64 from all over a scan but those far outside, their rows and their columns."""
    places = np.flatnonzero(present)
    places = places[:: max(1, len(places) // _SAMPLE)]
    points = xyz.reshape(-1, 3)[places].astype(np.float64)
    if len(points):
        near = within_reach(points, *central_box(points))
        points, places = points[near], places[near]
    return points, *np.divmod(places, xyz.shape[1])


def _mean_normal(xyz: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The mean (3,) of the unit normals between means of blocks of pixels; zeros if there are none."""
    rows, columns = np.nonzero(present)
    if not len(rows):
        return np.zeros(3)
    rows, columns = rows - rows.min(), columns - columns.min()
    # At least two pixels wide, so that scans with every second pixel have normals, too.
    step = max(2, (min(rows.max(), columns.max()) + 1) // _CELLS)
    shape = rows.max() // step + 1, columns.max() // step + 1
    blocks = np.ravel_multi_index((rows // step, columns // step), shape)
    points = xyz[present].astype(np.float64)
    points /= max(float(np.abs(points).max()), np.finfo(np.float64).tiny)
    count = np.bincount(blocks, minlength=shape[0] * shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.stack([np.bincount(blocks, one, len(count)) / count for one in points.T], axis=-1)
        means = means.reshape(*shape, 3)
        normals = np.cross(means[:-1, 1:] - means[:-1, :-1], means[1:, :-1] - means[:-1, :-1]).reshape(-1, 3)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals[np.isfinite(normals).all(axis=1)]
    return normals.mean(axis=0) if len(normals) else np.zeros(3)


def _evidence(along_columns: np.ndarray, along_rows: np.ndarray) -> np.ndarray:
    """How likely columns follow the first coordinate and rows the second, (3, 3) from 0 to 1; 0 for the same."""
    evidence = np.abs(np.outer(along_columns, along_rows))
    np.fill_diagonal(evidence, 0)
    return evidence


def reading_of_axes(xyz: np.ndarray, present: np.ndarray, rotation: np.ndarray) -> tuple[str, bool] | None:
    """How the axes of a scan were understood, in words for the log; None if they are a camera's beyond doubt.

    Args:
        xyz: (H, W, 3) floats.
        present: (H, W) flags of the points to consider.
        rotation: from `measured_pixels`.

    Returns:
        The words, and whether they are a warning: a scan without perspective may well be a camera's.
    """
    if not follows_grid(xyz, present):
        words = "the coordinates do not follow the pixels: this may be a picture, normals or a grid of other sides"
        return words, True
    axis = int(np.abs(rotation[2]).argmax())
    if rotation[2, 2] == 1:
        words = "z is taken to point away from the sensor; if it holds heights, negate it, or dents count as bumps"
        return None if _is_seen_from_origin(*_sample(xyz, present)) else (words, False)
    if rotation[2, axis] > 0:
        return f"the scan looks along its {'xyz'[axis]} axis and is rotated to camera axes", True
    doubt = "; if it holds z, y, x, as cv2.imwrite stores them, swap these" if axis == 0 else ""
    return f"the scan looks against its {'xyz'[axis]} axis and is rotated to camera axes{doubt}", True


def _is_seen_from_origin(points: np.ndarray, rows: np.ndarray, columns: np.ndarray, axis: int = 2) -> bool:
    """Whether a camera at the origin looks along z: then x / z and y / z are linear in column and row.

    They are so, too, of a flat surface far from the origin, wherever its sensor is. The coordinates beside the axis
    that the surface faces are then at least as linear, but not in perspective.
    """
    depth = points[:, 2]
    if not (depth > 0).all():
        return False
    grid = np.column_stack([np.ones(len(points)), columns, rows])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values = np.column_stack([np.delete(points, axis, axis=1), points[:, :2] / depth[:, None]])
        values = (values - values.mean(axis=0)) / values.std(axis=0)
    if not np.isfinite(values).all():
        return False
    deviations = np.abs(values - grid @ np.linalg.lstsq(grid, values, rcond=None)[0]).mean(axis=0)
    return bool(deviations[2:].max() < min(_STRAIGHT, _STRAIGHTER * deviations[:2].max()))


def _correlations(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Of the places with each coordinate, (3,); 0 where either does not vary."""
    if len(places) < 2:
        return np.zeros(3)
    centred_places = places - places.mean()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        centred = points - points.mean(axis=0)
        centred = centred / np.abs(centred).max(axis=0)
        found = centred_places @ centred / (np.linalg.norm(centred_places) * np.linalg.norm(centred, axis=0))
    return np.nan_to_num(found, posinf=0, neginf=0)
