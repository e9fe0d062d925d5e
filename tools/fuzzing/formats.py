"""The files besides scans and pictures that this library reads: how each is made of fuzzed content, and read.

Readers go as far as the programs do before the file's content is a plain part of the computation: learned prompts give
text features, references are compared with a scan, results become tables and pages.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pointad.commands.rig_arguments import read_rig
from pointad.data.metadata import read_metadata
from pointad.data.raw import RenderingOptions
from pointad.data.rendering_settings import agree_on_settings, read_settings, stored_views
from pointad.datasets.registry import DATASETS
from pointad.encoding.feature_cache import read_entry
from pointad.evaluation.run_record import TrainingRecord, to_json
from pointad.model.architecture import build
from pointad.model.backbone import ClipBackbone
from pointad.model.checkpoint import load_prompt_learner, save_prompts
from pointad.model.prompt_learner import PromptLearner
from pointad.model.siglip_tokenizer import read_siglip_tokenizer
from pointad.model.weights import read_weights
from pointad.reference.fpfh import LENGTH
from pointad.reference.geometry_bank import SIZES, ScanGeometry, compare_geometry
from pointad.reference.patch_bank import ScanPatches, compare_patches
from pointad.reference.reference import Reference
from pointad.report.formats import to_csv, to_latex, to_markdown
from pointad.report.page import write_pages
from pointad.report.protocol_tables import protocol_tables
from pointad.report.runs import find_runs
from pointad.report.tidy import to_tidy_csv
from pointad.training.run_folder import check_folder, read_origin
from tools.fuzzing.containers import Build, archive_like, as_is, reference_file, safetensors_file
from tools.fuzzing.json_mutation import mutated_json
from tools.fuzzing.pickle_mutation import mutated_pickle
from tools.fuzzing.specimens import FEATURE_KEY, write_specimens

Mutate = Callable[[bytes, int], bytes | None]

_DATASET = "mvtec_pc_3d_rgb"
_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 28, "layers": 2, "width": 32, "head_width": 16, "patch_size": 14},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 3},
    "quick_gelu": True,
}
_PATCH_WIDTH, _VIEWS = 8, 2
_ENTRIES, _CONTEXT = 64, 20  # of a small SigLIP's texts


@dataclass(frozen=True)
class Format:
    """One kind of file."""

    file_name: str
    read: Callable[[Path], object]
    build: Build = as_is  # fuzzed content -> content of the file
    mutate: Mutate = mutated_json  # a change that keeps the structure; None where there is none
    permitted: tuple[type[Exception], ...] = ()  # errors besides this library's own


def formats() -> dict[str, Format]:
    """All of them by name; what they need to be read with is made here, which takes seconds."""
    backbone = _small_clip()
    with tempfile.TemporaryDirectory() as folder:
        specimens = write_specimens(Path(folder) / "specimens")
        weights, script = (specimens[name].read_bytes() for name in ("weights", "script"))
        save_prompts(PromptLearner(backbone, depth=2), Path(folder) / "prompts.pth")
        prompts = (Path(folder) / "prompts.pth").read_bytes()
    return {
        "weights_safetensors": Format("clip.safetensors", read_weights, safetensors_file),
        "weights_archive": Format("clip.pt", read_weights, archive_like(weights), mutated_pickle),
        "weights_script": Format("clip.pt", read_weights, archive_like(script), mutated_pickle),
        "weights_sequence": Format("clip.pt", read_weights, mutate=_mutated_sequence),
        "prompts": Format(
            "prompts.pth", lambda path: load_prompt_learner(path, backbone), archive_like(prompts), mutated_pickle
        ),
        "reference": Format("good.safetensors", _read_reference, reference_file),
        "features": Format(
            # Whoever asks for a damaged entry encodes its picture again.
            f"{FEATURE_KEY}.safetensors",
            read_entry,
            safetensors_file,
            permitted=(OSError, ValueError),
        ),
        "metadata": Format("all_meta.json", lambda path: read_metadata(path.parent)),
        "rendering": Format("rendering.json", _read_rendering),
        "rig": Format("rig.json", read_rig),
        "run": Format("run.json", _read_run),
        "results": Format("results.json", _read_results),
        "tokenizers": Format("tokenizer.json", _read_tokenizer),
        "sentencepiece": Format("spiece.model", _read_tokenizer, mutate=_nothing_to_keep),
    }


def _nothing_to_keep(content: bytes, seed: int) -> bytes | None:
    """Of a format without a mutation of its own: the fuzz changes any bytes."""
    return None


def _small_clip() -> ClipBackbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ClipBackbone(build(_CLIP), "small random CLIP")


def _mutated_sequence(content: bytes, seed: int) -> bytes | None:
    """One of the pickles of the sequence changed; they end with a full stop."""
    ends = [place + 1 for place in range(len(content)) if content[place : place + 2] in (b".\x80", b".")]
    if not ends:
        return None
    number = seed % len(ends)
    start, end = (0, *ends)[number], ends[number]
    changed = mutated_pickle(content[start:end], seed)
    return None if changed is None else content[:start] + changed + content[end:]


def _read_reference(path: Path) -> None:
    """Compared with a scan of two views and a picture, of four patches each."""
    reference = Reference.load(path)
    generator = torch.Generator().manual_seed(0)
    patches = torch.rand(_VIEWS, 4, _PATCH_WIDTH, generator=generator)
    scan = ScanPatches(patches, torch.ones(_VIEWS, 4, dtype=torch.bool))
    picture = ScanPatches(patches[:1], torch.ones(1, 4, dtype=torch.bool))
    reference.require_fitting(scan, picture)
    histograms = torch.rand(5, len(SIZES) * LENGTH, generator=generator).numpy()
    surface = ScanGeometry(histograms, np.zeros((5, 3)), np.zeros((5, 3)), np.arange(5))
    assert compare_patches(scan, reference.patches).isfinite().all()
    assert reference.color is None or compare_patches(picture, reference.color).isfinite().all()
    assert np.isfinite(compare_geometry(surface, reference.geometry)).all()


def _read_rendering(path: Path) -> None:
    read_settings(path.parent)
    stored_views(path.parent, DATASETS[_DATASET], [])
    agree_on_settings(path.parent, _DATASET, RenderingOptions())


def _read_run(path: Path) -> None:
    """As the origin of a checkpoint beside it, and as that of a training that is to be continued."""
    checkpoint = path.with_name("epoch_1.pth")
    checkpoint.touch()
    read_origin(checkpoint)
    facts = to_json(TrainingRecord(training_class="bagel", seed=1))
    check_folder(path.parent, {name: value for name, value in facts.items() if value is not None})


def _read_tokenizer(path: Path) -> None:
    """As that of a SigLIP, and two texts with it."""
    tokenizer = read_siglip_tokenizer(path.parent, vocabulary_size=_ENTRIES, context_length=_CONTEXT)
    assert tokenizer(["a damaged object", "flawless"]).shape == (2, _CONTEXT)
    tokenizer.encode_after_words("damaged")


def _read_results(path: Path) -> None:
    runs = find_runs([path])
    tables = protocol_tables(runs, ["point", "color", "fused"])
    for text in (to_markdown(tables), to_csv(tables), to_latex(tables), to_tidy_csv(runs)):
        text.encode()
    write_pages(runs, path.parent / "html")
