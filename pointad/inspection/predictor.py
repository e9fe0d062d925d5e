"""The main class of the library: points in, a score and a heat value for every point out.

from pointad.inspection.predictor import PointAD
detector = PointAD.from_checkpoint("checkpoints/mvtec_pc_3d_rgb/carrot/epoch_15.pth", clip="openai")
prediction = detector.predict(points)           # (N, 3) or (H, W, 3), any unit, any pose
prediction.score, prediction.point_scores       # a float; one value for every point that was given

reference = detector.make_reference([good, ...]) # a few good scans of the same kind of object
prediction = detector.predict(points, reference=reference)
"""

import logging
import time
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from pointad.compute.device import choose_device
from pointad.compute.forks import compute_safely
from pointad.compute.own_settings import built_in_single_precision, own_settings
from pointad.compute.precision_names import FP32
from pointad.data.view_subset import ViewChoice
from pointad.encoding.features import PictureEncoder
from pointad.inspection.detector_parts import check_parts
from pointad.inspection.look_options import LookOptions
from pointad.inspection.look_scores import score_alone, score_compared
from pointad.inspection.looking import Look, look_at
from pointad.inspection.prediction import Prediction, prediction_of
from pointad.inspection.preparation import EXTENT
from pointad.inspection.referencing import Eyes, check_is_reference, reference_of, with_pictures
from pointad.inspection.smoothing import checked_width
from pointad.model.backbone import DEMO, ClipBackbone, load_backbone
from pointad.model.checkpoint import check_prompts, load_prompt_learner
from pointad.model.prompt_learner import OBJECT_NAME
from pointad.model.weight_locations import demo_checkpoints, locate
from pointad.reference.observation import bank_blocks, joint_blocks
from pointad.reference.reference import Reference
from pointad.reference.setting import digest_of
from pointad.rendering.views import View, ViewRig
from pointad.scans.reading_options import OWN_DATA_CLUSTERS, ClusterRule
from pointad.scoring.options import DEFAULT_SIGMA

logger = logging.getLogger(__name__)

EXTENT_IN_PIXELS = 240  # a cloud seen from its rig is so many of the 336 pixels of a view wide


class PointAD:
    """Scores scans with a frozen CLIP and learned prompts.

    `predict` changes nothing in the object and may be called from several threads at once, and in forks of the process.

    Args:
        backbone: the frozen CLIP, on the device where it is to run.
        text_features: (2, D) float32, normal and anomalous, on the same device.
        layers: blocks of the image encoder whose local features count, from 1; None takes the last.
        precision, compiled, pictures_at_once: how the image encoder runs, see `PictureEncoder`.

    Raises:
        InputError: the two do not fit, there is no such layer, or the device has no instructions for the precision.
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
        check_parts(backbone, text_features)
        self._backbone = backbone
        self._text_features = text_features.detach().clone()  # which the caller may change afterwards
        self._make_encoder = partial(
            PictureEncoder, backbone, precision=precision, compiled=compiled, pictures_at_once=pictures_at_once
        )
        self._encoder = self._make_encoder(layers)
        self._bank_blocks = bank_blocks(backbone.depth)

    @classmethod
    @own_settings()
    @built_in_single_precision()
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
            path: a checkpoint in the released format; None takes the demo prompts that are shipped with PointAD.
            clip: "openai" (found in checkpoints/ or open_clip's cache, else downloaded), "demo", or a file with
                weights; None is "demo" for the demo prompts and "openai" for all others.
            device: "auto", "cpu", "cuda", "cuda:1", "mps".
            clip_model: an open_clip name; None takes the one that the weights belong to.
            quick_gelu: the activation of a file's model; None takes what the file or its model says.
            layers: blocks of the image encoder whose local features count, from 1; None takes the last.
            precision: "fp32"; "bf16" or "fp16" where the device has them: faster, and scores move by about a hundredth.
            compiled: compile the image encoder first (`torch.compile`).
            pictures_at_once: pictures that go through the encoder together; None: as many as suit the device's memory.

        Raises:
            InputError: a file is missing or does not fit, or the device was not found or lacks the precision.
        """
        compute_safely()
        if clip is None:
            clip = DEMO if path is None else "openai"
        path = demo_checkpoints()[0] if path is None else path
        check_prompts(locate(path), clip_model, clip)
        backbone = load_backbone(clip_model, clip, choose_device(device), quick_gelu=quick_gelu)
        learner = load_prompt_learner(path, backbone)
        if not learner.says(backbone, OBJECT_NAME):
            logger.warning("%s: these prompts contain the name of their training class, whatever the scan shows", path)
        text_features = learner(backbone.text)
        return cls(
            backbone, text_features, layers, precision=precision, compiled=compiled, pictures_at_once=pictures_at_once
        )

    @property
    def encoder(self) -> PictureEncoder:
        """The image encoder, with the blocks that the prompts are compared with."""
        return self._encoder

    @property
    def backbone_name(self) -> str:
        """The CLIP's name."""
        return self._backbone.name

    @property
    def fingerprint(self) -> str:
        """A text that differs between detectors whose scores differ: weights, prompts, blocks."""
        weights, prompts = self._backbone.fingerprint, digest_of(self._text_features)
        return f"{weights} {self._encoder.precision} {prompts} {self._encoder.layers} {self._bank_blocks}"

    @property
    def is_demo(self) -> bool:
        """Whether the CLIP is the small demo backbone, whose scores are meaningless for real data."""
        return self._backbone.is_demo

    @own_settings()
    def predict(
        self,
        points: np.ndarray,
        colors: np.ndarray | None = None,
        rgb: np.ndarray | None = None,
        rig: ViewRig | str = "auto",
        *,
        views: ViewChoice | int | Sequence[View] | None = None,
        sigma: float = DEFAULT_SIGMA,
        smoothing: str = "surface",
        visibility: str | None = None,
        remove_table: bool = False,
        metres_per_unit: float = 1.0,
        keep_clusters: ClusterRule = OWN_DATA_CLUSTERS,
        seed: int = 111,
        reference: Reference | None = None,
        name: str = "scan",
    ) -> Prediction:
        """Render and encode one scan from all directions and score it and each of its points.

        Any unit and any offset will do: the cloud is centred and scaled before it is rendered. Organized scans keep
        their pose, since depth cameras look along +z; clouds without a grid are aligned with their principal axes and
        rendered from all around. More than 112,896 points are thinned evenly; the others take the score of the nearest
        point that was kept. Isolated points far outside the rest are ignored.

        Args:
            points: (N, 3), or (H, W, 3) for organized scans, whose holes are not finite or have z == 0.
            colors: (H, W, 3) uint8, the RGB picture of an organized scan. The colours of a cloud without a grid are
                not used for its score: pass None.
            rgb: (h, w, 3) uint8, a separate RGB picture with the same field of view as the organized scan.
            rig: "auto", "front" (scans from one side), "around" (closed shapes), "all_sides" (closed shapes, with the
                ends of their longest axis), or a rig of your own, which keeps the pose, such as
                `pointad.datasets.mvtec3d.MVTEC3D_RIG`.
            views: how many of the rig's views, or other directions; None: all of the rig's.
            sigma: width of the smoothing in pixels of the grid; on a surface, in pixels of the views, of which the
                cloud's largest side takes 240, and where widths above 0 act as 0.6 at least. 0: no smoothing.
            smoothing: for clouds without a grid: "surface" averages over neighbours in space; "grid" over neighbours
                in the order of the points, as the published evaluation does, so that the order changes the scores.
            visibility: which points a view counts as seen: "nearest", one a pixel, as published, or "splat", those on
                the surface that it shows. None: "nearest" for organized scans, and "splat" for others, whose
                far side would otherwise be seen through the gaps between the points.
            remove_table: for organized scans: remove the plane on which the object lies.
            metres_per_unit: size of the points' unit, 0.001 for millimetres; only that removal needs it.
            keep_clusters: what that removal keeps: "all", the "largest" cluster, or those of more than this share of
                points.
            seed: of the thinning.
            reference: good scans of the same kind of object, looked at with the same settings (`make_reference`). One
                of them, compared with itself, has too low a score; `Reference.copied` tells whether a scan is one.
            name: what the log calls the scan.

        Raises:
            InputError: the arrays do not fit, hold too few points, or the reference was made otherwise.
        """
        sigma = checked_width(smoothing, sigma)
        options = LookOptions.of(rig, views, visibility, remove_table, metres_per_unit, keep_clusters, seed)
        check_is_reference(reference, is_needed=False)
        compute_safely()
        encoder = self._encoder if reference is None else self._joint_encoder
        look = look_at(points, colors, rgb, options, self._backbone.image_size, encoder, name)
        started = time.perf_counter()
        if reference is None:
            scored = score_alone(look, self._text_features, sigma, sigma * EXTENT / EXTENT_IN_PIXELS, smoothing)
        else:
            scored = score_compared(look, reference, self._eyes(options, sigma, smoothing))
        for remark in scored.remarks:
            logger.warning("%s: %s", name, remark)
        return prediction_of(look, scored, points.shape[:-1], time.perf_counter() - started)

    @own_settings()
    def make_reference(
        self,
        scans: Iterable[np.ndarray],
        rig: ViewRig | str = "auto",
        *,
        views: ViewChoice | int | Sequence[View] | None = None,
        pictures: Iterable[np.ndarray | None] | None = None,
        names: Sequence[str] | None = None,
        sigma: float = DEFAULT_SIGMA,
        smoothing: str = "surface",
        visibility: str | None = None,
        remove_table: bool = False,
        metres_per_unit: float = 1.0,
        keep_clusters: ClusterRule = OWN_DATA_CLUSTERS,
        seed: int = 111,
    ) -> Reference:
        """Make a reference from a few good scans of one kind of object, for `predict` to compare others with.

        Args:
            scans: one or more, each as `predict` takes it; the other arguments are those of `predict` too.
            pictures: the RGB picture of each organized scan, or its colours; None for a scan without any. They are
                compared if all scans have one; scans to be judged must then have one too.
            names: what errors call the scans; None numbers them.

        Raises:
            InputError: there is no scan, one cannot be looked at, or one is of another kind or unit than the others.
        """
        options = LookOptions.of(rig, views, visibility, remove_table, metres_per_unit, keep_clusters, seed)
        eyes = self._eyes(options, sigma, smoothing)
        compute_safely()

        def look(points: np.ndarray, rgb: np.ndarray | None, name: str) -> Look:
            return look_at(points, None, rgb, options, self._backbone.image_size, self._joint_encoder, name)

        return reference_of(with_pictures(scans, pictures), look, names, eyes)

    def check_reference(
        self,
        reference: Reference,
        rig: ViewRig | str = "auto",
        *,
        views: ViewChoice | int | Sequence[View] | None = None,
        sigma: float = DEFAULT_SIGMA,
        smoothing: str = "surface",
        visibility: str | None = None,
        remove_table: bool = False,
        metres_per_unit: float = 1.0,
        keep_clusters: ClusterRule = OWN_DATA_CLUSTERS,
        seed: int = 111,
    ) -> None:
        """Refuse a reference that no scan can be compared with under these arguments of `predict`, before one is seen.

        Raises:
            InputError: it was made otherwise.
        """
        options = LookOptions.of(rig, views, visibility, remove_table, metres_per_unit, keep_clusters, seed)
        check_is_reference(reference)
        reference.setting.require(self._eyes(options, sigma, smoothing).setting(reference.setting.organized))

    @cached_property
    def _joint_encoder(self) -> PictureEncoder:
        """Gives the blocks for the prompts and those for good scans in one pass."""
        return self._make_encoder(joint_blocks(self._encoder.layers, self._bank_blocks))

    def _eyes(self, options: LookOptions, sigma: float, smoothing: str) -> Eyes:
        sigma = checked_width(smoothing, sigma)
        return Eyes(
            backbone=f"{self._backbone.fingerprint} {self._encoder.precision}",
            text_features=self._text_features,
            prompt_blocks=self._encoder.layers,
            bank_blocks=self._bank_blocks,
            encoded_blocks=self._joint_encoder.layers,
            image_size=self._backbone.image_size,
            options=options,
            sigma=sigma,
            smoothing=smoothing,
            sigma_on_surface=sigma * EXTENT / EXTENT_IN_PIXELS,
        )
