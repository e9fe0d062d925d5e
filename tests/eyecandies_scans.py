"""Small scans in the format of Eyecandies."""

from pathlib import Path

import numpy as np
import yaml
from PIL import Image


def write_box(data: Path, name: str, *, bump: bool) -> None:
    """Depth of a slab, 0.15 m high, in a frame whose y axis points to the camera and whose z axis points down."""
    side = 128
    # The camera stands 1 m towards the viewer and 1 m up, and looks at the origin: axes right, down, forward.
    half = np.sqrt(0.5)
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, half, half], [0, -half, half]]
    pose[:3, 3] = -pose[:3, :3] @ [0, 1, -1]
    v, u = np.mgrid[:side, :side]
    focal = 711.11 / 512 * side
    rays = np.stack([(u - side / 2) / focal, (v - side / 2) / focal, np.ones_like(u)], -1) @ pose[:3, :3]
    origin = np.array([0.0, 1.0, -1.0])
    depth = -origin[2] / rays[..., 2]  # of the table z = 0
    on_slab = (-0.15 - origin[2]) / rays[..., 2]
    hit = origin + on_slab[..., None] * rays
    inside = np.hypot(hit[..., 0], hit[..., 1]) < 0.25
    depth = np.where(inside, on_slab, depth)
    bumped = inside & (np.hypot(hit[..., 0] - 0.08, hit[..., 1]) < 0.06) & bump
    depth = depth - 0.03 * bumped
    low, high = float(depth.min()) - 0.01, float(depth.max()) + 0.01
    Image.fromarray(np.rint((depth - low) / (high - low) * 65535).astype(np.uint16)).save(data / f"{name}_depth.png")
    (data / f"{name}_info_depth.yaml").write_text(yaml.safe_dump({"normalization": {"min": low, "max": high}}))
    (data / f"{name}_metadata.yaml").write_text(yaml.safe_dump({"anomalous": int(bump)}))
    np.savetxt(data / f"{name}_pose.txt", pose)
    Image.fromarray((bumped * 255).astype(np.uint8)).save(data / f"{name}_mask.png")
    Image.fromarray(np.where(inside[..., None], [220, 30, 60], [90, 90, 90]).astype(np.uint8)).save(
        data / f"{name}_image_4.png"
    )
