"""Small inputs of every kind, made once and copied by links for each test that spoils them."""

from pathlib import Path

import pytest
from programs_clip import have_programs_take
from robustness.invocation import render
from robustness.spoiling import linked_copy

from pointad.data.listing import write_metadata
from pointad.demo import eyecandies, real3d, scans
from pointad.demo.scans import ScanName
from pointad.model.backbone import ClipBackbone

CLASS = "cookie"
GOOD, BAD = "good", "hole"


@pytest.fixture(scope="session")
def two_samples(golden_inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered data set of one good and one anomalous sample of one class."""
    root = tmp_path_factory.mktemp("two_samples") / "data"
    for species in (GOOD, BAD):
        source = golden_inputs / "data" / CLASS / "test" / species
        target = root / CLASS / "test" / species
        for kind in ("rgb", "gt"):
            (target / kind).mkdir(parents=True)
            (target / kind / "000.png").hardlink_to(source / kind / "000.png")
        for kind in ("2d_rendering", "2d_gt", "2d_3d_cor"):
            linked_copy(source / kind / "000", target / kind / "000")
    write_metadata(root, "mvtec_pc_3d_rgb")
    return root


@pytest.fixture
def data(two_samples: Path, tmp_path: Path) -> Path:
    """A copy of the two samples to be spoilt."""
    return linked_copy(two_samples, tmp_path / "data")


@pytest.fixture
def model_flags(golden_weights: Path) -> tuple[object, ...]:
    """The small CLIP of the goldens."""
    return ("--clip_weights", golden_weights / "clip_tiny.pt", "--device", "cpu")


@pytest.fixture
def ready_backbone(golden_backbone: ClipBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in this process take the small CLIP as it was loaded once; for tests that are not about its file."""
    have_programs_take(golden_backbone, monkeypatch)


@pytest.fixture
def test_flags(model_flags: tuple[object, ...], golden_weights: Path) -> tuple[object, ...]:
    """Flags of test.py for a short run."""
    return (*model_flags, "--checkpoint_path", golden_weights / "prompts.pth", "--views", 2, "--num_workers", 0)


@pytest.fixture
def train_flags(model_flags: tuple[object, ...]) -> tuple[object, ...]:
    """Flags of train.py for a short run."""
    return (*model_flags, "--train_class", CLASS, "--views", 2, "--num_workers", 0, "--epoch", 1, "--depth", 2)


@pytest.fixture(scope="session")
def raw_archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Raw archives in the three formats by the data sets' names: one class, one good and one anomalous scan each."""
    folder = tmp_path_factory.mktemp("raw")
    kinds = {
        "mvtec_pc_3d_rgb": (scans, "test", "pit"),
        "eye_pc_3d_rgb": (eyecandies, "test_public", "lump"),
        "real_pc_3d_rgb": (real3d, "test", "bulge"),
    }
    for name, (module, split, defect) in kinds.items():
        for index, species in enumerate((GOOD, defect)):
            module.write_scan(ScanName("gear", split, species, index), 0, folder / name)  # type: ignore[attr-defined]
    return {name: folder / name for name in kinds}


@pytest.fixture(scope="session")
def rendered_archives(raw_archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same archives rendered, with one view."""
    folder = tmp_path_factory.mktemp("rendered")
    for name, source in raw_archives.items():
        assert render(name, source, folder / name).code == 0
    return {name: folder / name for name in raw_archives}
