"""A cache of picture features on disk, so that across all runs no picture is encoded twice by the same encoder.

There is one safetensors file per picture, with its global feature in float32 and its patch features in float16, both of
unit length; the rounding changes a probability by less than 5e-4. The file name is a hash of what was encoded and how
(backbone, layers, precision, pixels), so features are never stale after a picture or the weights change, and files may
be removed at any time. Files are written atomically, so several processes may share a folder. What a process that was
killed left unfinished is removed when the cache is next used.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from pointad.files.atomic import atomic_path
from pointad.files.regular import kind_of, refuse_leaving
from pointad.files.safetensors_files import opened_safetensors, own_tensor
from pointad.files.standing_folders import refuse_replaced
from pointad.files.unfinished import is_unfinished, remove_if_abandoned

logger = logging.getLogger(__name__)

FORMAT = 1  # incremented when the encoder's features for the same weights and pictures, or the files, change
SUFFIX = ".safetensors"
_ENTRY = re.compile(r"\.?[0-9a-f]{64}(\.[0-9a-f]{12}\.partial)?\.safetensors")  # finished, or being written
_ROUNDING = 0.01  # by which lengths may differ from 1; half precision moves them by less than 0.001
HEADER_BYTES = 512  # approximate size of a file without its numbers


@dataclass(frozen=True)
class PictureFeatures:
    """Features of one picture, of unit length; L layers, N patches, D joint dimensions."""

    global_features: Tensor  # (D,) float32
    patch_features: Tensor  # (L, N, D) float16


class FeatureCache:
    """A folder with the picture features of one encoder.

    Args:
        folder: created when the first features are written; several encoders can share it without conflict.
        fingerprint: of the backbone: its weights, and how they are read.
        layers: blocks whose local features are stored.
        precision: that the encoder computes in.
    """

    def __init__(self, folder: Path, *, fingerprint: str, layers: Sequence[int], precision: str) -> None:
        self.folder = folder
        identity = {"format": FORMAT, "backbone": fingerprint, "layers": list(layers), "precision": precision}
        self._identity = json.dumps(identity).encode()

    def key(self, picture: np.ndarray) -> str:
        """The key of a picture's features: SHA-256 over the encoder, the size and the pixels, in hexadecimal.

        Args:
            picture: (H, W, 3) uint8, as the encoder takes it.
        """
        digest = hashlib.sha256(self._identity)
        digest.update(repr(picture.shape).encode())
        digest.update(np.ascontiguousarray(picture).data)
        return digest.hexdigest()

    def read(self, key: str, shape: tuple[int, int, int]) -> PictureFeatures | None:
        """The features with this key; None if they are missing, or damaged, which is logged.

        Args:
            key: of the picture.
            shape: (L, N, D) of the encoder's patch features.
        """
        path = self._path(key)
        try:
            features = read_entry(path)
            if features.patch_features.shape != shape or features.global_features.shape != shape[2:]:
                raise ValueError("damaged (features of another shape)")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            logger.warning("%s: %s; its picture is encoded again", path, reason)
            return None
        with contextlib.suppress(OSError):  # in a read-only folder, the date of last use cannot be updated
            os.utime(path)
        return features

    def write(self, key: str, features: PictureFeatures) -> None:
        """Store features under this key; not where a folder lies in their place.

        Raises:
            InputError: the folder cannot be written to, one in it is a link to elsewhere, or the disk is full.
        """
        tensors = {"global": features.global_features, "patches": features.patch_features}
        tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        stored = {"key": key, "sha256": _digest(tensors["global"], tensors["patches"])}
        path = self._path(key)
        refuse_leaving(self.folder, path)
        if os.path.lexists(path) and not path.is_file() and not remove_entry(path):
            return
        with atomic_path(path) as temporary:
            temporary.write_bytes(save(tensors, metadata=stored))  # a full disk is an OSError here, unlike in save_file

    def state_size(self, pictures: int, layers: int, patches: int, dimensions: int) -> None:
        """Log how much disk space that many pictures can take, before any is written."""
        each = layers * patches * dimensions * 2 + dimensions * 4 + HEADER_BYTES
        existing = next(place for place in (self.folder.absolute(), *self.folder.absolute().parents) if place.exists())
        logger.info(
            "feature cache %s: %d pictures of %.2f MB take up to %.2f GB; %.1f GB free",
            self.folder,
            pictures,
            each / 1e6,
            pictures * each / 1e9,
            shutil.disk_usage(existing).free / 1e9,
        )

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{SUFFIX}"


def read_entry(path: Path) -> PictureFeatures:
    """Read and verify a file of a feature cache.

    Raises:
        FileNotFoundError: it does not exist.
        OSError: the file cannot be read.
        ValueError: the file is damaged.
    """
    kind = kind_of(path.stat())
    if kind is not None:  # a pipe would be waited for
        raise ValueError(f"damaged ({kind})")
    try:
        with opened_safetensors(path) as file:
            stored = file.metadata() or {}
            features = PictureFeatures(own_tensor(file, "global"), own_tensor(file, "patches"))
    except (SafetensorError, NotImplementedError) as error:  # torch lacks some of the types of safetensors
        raise ValueError(f"damaged ({error})") from error
    kinds = [(tensor.dtype, tensor.ndim) for tensor in (features.global_features, features.patch_features)]
    if kinds != [(torch.float32, 1), (torch.float16, 3)]:
        raise ValueError("damaged (tensors of another kind)")
    if not have_unit_length(features.global_features, features.patch_features):
        raise ValueError("damaged (features that have no unit length)")
    if stored.get("key") != path.stem or stored.get("sha256") != _digest(
        features.global_features, features.patch_features
    ):
        raise ValueError("damaged (checksum mismatch)")
    return features


def remove_entry(path: Path) -> bool:
    """Remove what lies under the name of a cache's file, be it a link or a pipe; False for a folder, which stays.

    Raises:
        OSError: it cannot be removed.
        InputError: the cache is no longer the folder that this run cleans up.
    """
    refuse_replaced(path)
    with contextlib.suppress(IsADirectoryError):
        path.unlink(missing_ok=True)
        return True
    return False


@dataclass(frozen=True)
class CacheEntry:
    """A file of a feature cache."""

    path: Path
    size: int  # bytes
    last_used: float  # seconds since the epoch
    unfinished: bool  # left behind by a process that died, or being written now


def list_entries(folder: Path) -> list[CacheEntry]:
    """All files of a cache, the least recently used first; what else lies in the folder is none of them."""
    entries = []
    for path in folder.glob(f"[0-9a-f][0-9a-f]/*{SUFFIX}"):
        if _ENTRY.fullmatch(path.name) is None or path.parent.is_symlink():
            continue
        with contextlib.suppress(FileNotFoundError):  # another process may be evicting
            status = path.lstat()
            entries.append(CacheEntry(path, status.st_size, status.st_mtime, is_unfinished(path.name)))
    return sorted(entries, key=lambda entry: entry.last_used)


def evict(folder: Path, keep_bytes: int) -> list[CacheEntry]:
    """Remove abandoned files, then the least recently used ones until the rest takes at most ``keep_bytes``.

    Returns:
        What was removed.
    """
    removed = []
    entries = list_entries(folder)
    total = sum(entry.size for entry in entries)
    for entry in entries:
        if not entry.unfinished and total > keep_bytes:
            if not remove_entry(entry.path):
                continue
        elif not entry.unfinished or not remove_if_abandoned(entry.path):
            continue
        total -= entry.size
        removed.append(entry)
    return removed


def remove_abandoned_entries(folder: Path) -> int:
    """Remove what processes that died while they wrote left in a cache; returns how many files."""
    return sum(remove_if_abandoned(entry.path) for entry in list_entries(folder) if entry.unfinished)


def _digest(global_features: Tensor, patch_features: Tensor) -> str:
    digest = hashlib.sha256(global_features.numpy().data)
    digest.update(patch_features.numpy().data)
    return digest.hexdigest()


def have_unit_length(*features: Tensor) -> bool:
    """Whether all features (…, D) have unit length; those that overflowed, or had no direction, do not."""
    return all(bool(((each.float().norm(dim=-1) - 1).abs() <= _ROUNDING).all()) for each in features)


def rounded(global_features: Tensor, patch_features: Tensor) -> PictureFeatures:
    """Features of one picture (D,) and (L, N, D), rounded as in the cache."""
    return PictureFeatures(global_features.float().cpu(), patch_features.to(torch.float16).cpu())
