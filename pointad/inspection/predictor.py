"""The face of the library: points in, a score and a heat value for every point out.

from pointad.inspection.predictor import PointAD

detector = PointAD.from_checkpoint("checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth", clip="openai")
prediction = detector.predict(points)           # (N, 3) or (H, W, 3), any unit, any pose
prediction.score, prediction.point_scores       # a float; one value for every point that was given
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pointad.compute.device import choose_device
from pointad.compute.precision_names import FP32
from pointad.data.batch import collate
from pointad.data.dataset import LoadedScan, SampleOptions, to_sample
from pointad.encoding.features import PictureEncoder, SampleFeatures
from pointad.errors import InputError
from pointad.inspection.parallel_rendering import render_in_threads
from pointad.inspection.preparation import EXTENT, PreparedScan, prepare
from pointad.model.backbone import DEMO, ClipBackbone, load_backbone
from pointad.model.checkpoint import load_prompt_learner
from pointad.model.weight_folders import demo_checkpoints
from pointad.rendering.rendered_sample import RenderedSample
from pointad.rendering.views import ViewRig
from pointad.scans.grid import GRID_SIZE
from pointad.scans.reading_options import OWN_DATA_CLUSTERS, ClusterRule
from pointad.scoring.inference import predict_views, score_samples
from pointad.scoring.options import DEFAULT_SIGMA
from pointad.scoring.similarity import ANOMALOUS
from pointad.scoring.surface_scores import score_on_surface

SMOOTHINGS = ("surface", "grid")
EXTENT_IN_PIXELS = 240  # a cloud seen from its rig is so many of the 336 pixels of a view wide


@dataclass(frozen=True)
class Prediction:
    """What was found in one scan; V views, S = 336 pixels a side, M rendered points.

    Scores rank scans and points; they are no probabilities of a defect. What counts as high depends on the prompts and
    on the kind of object: compare with scans that are known to be good.
    """

    score: float  # the fused score with an RGB picture, the point score without
    point_scores: np.ndarray  # float32 in the shape of the points given, (N,) or (H, W); 0 for points that take no part
    taking_part: np.ndarray  # bool in the same shape, False for holes, strays and what was removed with the table
    views: np.ndarray  # (V, S, S) uint8, grey renderings
    maps: np.ndarray  # (V, S, S) float32, how anomalous each pixel of the views looks, 0 to 1
    view_scores: np.ndarray  # (V,) float32, how anomalous each view looks as a whole, 0 to 1
    view_names: tuple[str, ...]  # V texts such as "x -45°"
    modality_scores: dict[str, float]  # "point", and with an RGB picture "color" and "fused"
    grid_maps: dict[str, np.ndarray]  # the same names -> (S, S) float32; empty for clouds without a grid
    color: np.ndarray | None  # (S, S, 3) uint8, the RGB picture on the grid
    correspondences: np.ndarray  # (V, M, 3) int16, column, row and visibility of the rendered points in the views
    rendered_scores: np.ndarray  # (M,) float32, the scores of the rendered points
    display_rotation: np.ndarray  # (3, 3), from the points' axes to the first view's: x right, y up, z to the viewer
    timings: dict[str, float]  # seconds by stage: prepare, render, encode, score


class PointAD:
    """Scores scans with a frozen CLIP and learned prompts.

    `predict` changes nothing in the object and may be called from several threads at once.

    Args:
        backbone: the frozen CLIP, on the device where it shall work.
        text_features: (2, D), normal and anomalous, on the same device.
        layers: blocks of the image encoder whose local features count, from 1; None takes the last.
        precision, compiled, pictures_at_once: how the image encoder runs, see
            `pointad.encoding.features.PictureEncoder`.

    Raises:
        InputError: there is no such layer, or the device has no instructions for the precision.
    """

    def __init__(
        self,
        backbone: ClipBackbone,
        text_features: torch.Tensor,
        layers: Sequence[int] | None = None,
        *,
        precision: str = FP32,
        compiled: bool = False,
        pictures_at_once: int | None = None,
    ) -> None:
        self._backbone = backbone
        self._text_features = text_features
        self._encoder = PictureEncoder(
            backbone, layers, precision=precision, compiled=compiled, pictures_at_once=pictures_at_once
        )

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path | None = None,
        clip: str | Path | None = None,
        device: str = "auto",
        *,
        clip_model: str | None = None,
        quick_gelu: bool | None = None,
        layers: Sequence[int] | None = None,
        precision: str = FP32,
        compiled: bool = False,
        pictures_at_once: int | None = None,
    ) -> "PointAD":
        """Load prompts and the CLIP that they were learned with.

        Args:
            path: a checkpoint in the released format; None takes the demo prompts that come along.
            clip: "openai" (found in checkpoints/ or open_clip's cache, else downloaded), "demo", or a file with
                weights; None is "demo" for the demo prompts and "openai" for all others.
            device: "auto", "cpu", "cuda", "cuda:1", "mps".
            clip_model: an open_clip name; None takes the one that the weights belong to.
            quick_gelu: the activation of a file's model; None takes what the file or its model says.
            layers: blocks of the image encoder whose local features count, from 1; None takes the last.
            precision: "fp32", or "bf16" or "fp16" where the device has instructions for them: faster, and scores move
                by about a hundredth.
            compiled: compile the image encoder first (`torch.compile`).
            pictures_at_once: pictures that go through the encoder together; None: as many as suit the device's memory.

        Raises:
            InputError: a file is missing or does not fit, or the device is not there or does not support the precision.
        """
        if clip is None:
            clip = DEMO if path is None else "openai"
        backbone = load_backbone(clip_model, clip, choose_device(device), quick_gelu=quick_gelu)
        learner = load_prompt_learner(demo_checkpoints()[0] if path is None else path, backbone)
        with torch.no_grad():
            text_features = learner(backbone.text)
        return cls(
            backbone,
            text_features,
            layers,
            precision=precision,
            compiled=compiled,
            pictures_at_once=pictures_at_once,
        )

    @property
    def backbone_name(self) -> str:
        """The CLIP's name."""
        return self._backbone.name

    @property
    def is_demo(self) -> bool:
        """Whether the CLIP is the small one that comes along, which says nothing about real data."""
        return self._backbone.is_demo

    def predict(
        self,
        points: np.ndarray,
        colors: np.ndarray | None = None,
        rgb: np.ndarray | None = None,
        rig: ViewRig | str = "auto",
        *,
        sigma: float = DEFAULT_SIGMA,
        smoothing: str = "surface",
        visibility: str | None = None,
        remove_table: bool = False,
        metres_per_unit: float = 1.0,
        keep_clusters: ClusterRule = OWN_DATA_CLUSTERS,
        seed: int = 111,
    ) -> Prediction:
        """Look at one scan from all directions and say how anomalous it and each of its points is.

        Any unit and any offset will do: the cloud is centred and scaled before it is looked at. Organized scans keep
        their pose, since depth cameras look along +z; clouds without a grid are turned to their principal axes and
        looked at from all around. More than 112,896 points are thinned evenly; the others take the score of the nearest
        point that was kept. Single points far outside the rest take no part.

        Args:
            points: (N, 3), or (H, W, 3) for organized scans, whose holes are not finite or have z == 0.
            colors: (H, W, 3) uint8, the RGB picture of an organized scan. The colours of a cloud without a grid play no
                part in its score: pass None.
            rgb: (h, w, 3) uint8, a separate RGB picture with the same field of view as the organized scan.
            rig: "auto", "front" (scans from one side), "around" (closed shapes), or a rig of your own, such as those
                in `pointad.rendering.views`.
            sigma: width of the smoothing in pixels of the grid; on a surface, in pixels of the views, of which the
                cloud's largest side takes 240.
            smoothing: for clouds without a grid: "surface" averages over neighbours in space; "grid" over neighbours
                in the order of the points, as the published evaluation does, so that the order changes the scores.
            visibility: which points a view counts as seen: "nearest", one a pixel, as published, or "splat", those on
                the surface that it shows. None: "nearest" for organized scans, and "splat" for others, whose
                far side would otherwise be seen through the gaps between the points.
            remove_table: for organized scans: remove the plane on which the object lies.
            metres_per_unit: size of the points' unit, 0.001 for millimetres; only that removal needs it.
            keep_clusters: what remains once the table is removed: "all", the "largest" cluster of points, or those with
                more than this fraction of the points.
            seed: of the thinning.

        Raises:
            InputError: the arrays do not fit, or hold too few points.
        """
        started = time.perf_counter()
        if smoothing not in SMOOTHINGS:
            raise InputError(f"smoothing {smoothing!r}", "is unknown", f"use one of {', '.join(SMOOTHINGS)}")
        scan = prepare(
            points,
            colors,
            rgb,
            rig,
            remove_table=remove_table,
            metres_per_unit=metres_per_unit,
            keep_clusters=keep_clusters,
            seed=seed,
        )
        prepared = time.perf_counter()
        rendered = render_in_threads(
            scan.point_cloud, scan.rig, visibility=visibility or ("nearest" if scan.organized else "splat")
        )
        drawn = time.perf_counter()
        sample = to_sample(
            SingleScan(),
            LoadedScan(rendered.views, None, rendered.correspondences, rendered.nonzero_indices, scan.color, None),
            SampleOptions(image_size=self._backbone.image_size, point_size=GRID_SIZE),
        )
        batch = collate([sample]).to(self._text_features.device)
        features = self._encoder.encode(batch)
        if self._text_features.is_cuda:
            torch.cuda.synchronize()  # the encoder's time is not to be counted as the scoring's
        encoded = time.perf_counter()
        on_surface = not scan.organized and smoothing == "surface"
        with torch.no_grad():
            scored = self._score(features, batch.correspondences, batch.non_zero, scan, rendered, sigma, on_surface)
        finished = time.perf_counter()
        timings = {
            "prepare": prepared - started,
            "render": drawn - prepared,
            "encode": encoded - drawn,
            "score": finished - encoded,
        }
        return Prediction(
            score=scored.scores.get("fused", scored.scores["point"]),
            point_scores=_spread(scored.places, scan).reshape(points.shape[:-1]),
            taking_part=(scan.place >= 0).reshape(points.shape[:-1]),
            views=rendered.views,
            maps=scored.view_maps,
            view_scores=scored.view_scores,
            view_names=tuple(f"{view.axis} {view.degrees:g}°" for view in scan.rig.views),
            modality_scores=scored.scores,
            grid_maps=scored.grid_maps if scan.organized else {},
            color=None if sample.color is None else sample.color.numpy(),
            correspondences=rendered.correspondences,
            rendered_scores=scored.places[scan.point_cloud.nonzero_indices],
            display_rotation=scan.display_rotation,
            timings=timings,
        )

    def _score(
        self,
        features: SampleFeatures,
        correspondences: torch.Tensor,
        non_zero: torch.Tensor,
        scan: PreparedScan,
        rendered: RenderedSample,
        sigma: float,
        on_surface: bool,
    ) -> "_Scored":
        views = predict_views(features, self._text_features, GRID_SIZE)
        view_maps = views.maps[0].cpu().numpy()
        view_scores = views.logits[0].softmax(dim=-1)[:, ANOMALOUS].cpu().numpy()
        if on_surface:
            seen = np.any(rendered.correspondences[..., 2], axis=0)
            cloud = scan.point_cloud.points
            width = sigma * EXTENT / EXTENT_IN_PIXELS
            surface = score_on_surface(views, cloud, correspondences, non_zero, seen, width)
            places = np.pad(surface.values, (0, GRID_SIZE * GRID_SIZE - len(cloud)))
            return _Scored({"point": surface.score}, {}, places, view_maps, view_scores)
        fused = score_samples(features, views, self._text_features, correspondences, non_zero, sigma=sigma)
        scores, maps = {}, {}
        for name in ("point", "color", "fused"):
            score, grid_map = getattr(fused, f"{name}_score"), getattr(fused, f"{name}_map")
            if score is not None:
                scores[name], maps[name] = float(score[0]), grid_map[0].cpu().numpy()
        return _Scored(scores, maps, maps.get("fused", maps["point"]).ravel(), view_maps, view_scores)


@dataclass(frozen=True)
class _Scored:
    """Scores before they are brought back to the points that were given."""

    scores: dict[str, float]
    grid_maps: dict[str, np.ndarray]
    places: np.ndarray  # (S * S,) the map that counts, flat
    view_maps: np.ndarray
    view_scores: np.ndarray


@dataclass(frozen=True)
class SingleScan:
    """A scan that belongs to no data set."""

    class_name: str = "scan"
    species: str = "unknown"
    identifier: str = "0"
    label: int = 0


def _spread(places: np.ndarray, scan: PreparedScan) -> np.ndarray:
    """Bring values of the grid's places (S * S,) to the original points (N,); 0 for those that take no part."""
    return np.where(scan.place >= 0, places[np.maximum(scan.place, 0)], 0).astype(np.float32)
