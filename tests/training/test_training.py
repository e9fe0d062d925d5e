"""Training: the steps of the method, whatever the shortcuts; interrupted ones go on exactly; clear refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from small_engine import POINT_SIZE, RandomScan, small_backbone, small_dataset

from pointad.data.batch import collate
from pointad.data.dataset import LoadedScan, MultiViewDataset, SampleOptions
from pointad.encoding.features import PictureEncoder
from pointad.errors import InputError
from pointad.model.backbone import ClipBackbone
from pointad.model.prompt_learner import PromptLearner
from pointad.scoring.back_projection import back_project
from pointad.scoring.inference import predict_views
from pointad.training.loss_paths import choose_path
from pointad.training.losses import LossInputs, training_losses
from pointad.training.settings import TrainingSettings
from pointad.training.state import load_training_state, save_training_state
from pointad.training.terms import LOSS_TERMS, PUBLISHED_WEIGHTS
from pointad.training.training import Training, TrainingExamples, load_examples

SAMPLES = 5
SETTINGS = TrainingSettings(epochs=4, batch_size=2)  # the last batch of an epoch has one sample


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return small_backbone()


@pytest.fixture(scope="module")
def dataset() -> MultiViewDataset:
    return small_dataset({"cube": SAMPLES}, training=True)


@pytest.fixture(scope="module")
def examples(backbone: ClipBackbone, dataset: MultiViewDataset) -> TrainingExamples:
    return load_examples(PictureEncoder(backbone), dataset, description=None)


def fresh_learner(backbone: ClipBackbone) -> PromptLearner:
    return PromptLearner(backbone, depth=3, generator=torch.Generator().manual_seed(3))


def losses_of(training: Training, epochs: int) -> torch.Tensor:
    """Losses of the next epochs, (steps, 4)."""
    return torch.cat([losses.steps for losses in islice(training.epochs(), epochs)])


def method_step_by_step(
    backbone: ClipBackbone,
    learner: PromptLearner,
    dataset: MultiViewDataset,
    epochs: int,
    weights: Mapping[str, float] = PUBLISHED_WEIGHTS,
    view_fusion: str = "mean",
) -> torch.Tensor:
    """The training as the method describes it: everything again in every step, (steps, 4)."""
    optimizer = torch.optim.Adam(learner.learned_parameters(), lr=SETTINGS.learning_rate, betas=(0.5, 0.999))
    generator = torch.Generator().manual_seed(SETTINGS.seed)
    rows = []
    for _ in range(epochs):
        for chosen in torch.randperm(len(dataset), generator=generator).split(SETTINGS.batch_size):
            batch = collate([dataset[index] for index in chosen.tolist()])
            views = predict_views(PictureEncoder(backbone).encode(batch), learner(backbone.text), POINT_SIZE)
            assert batch.views_gt is not None
            inputs = LossInputs(
                view_logits=views.logits,
                view_maps=views.maps,
                point_maps=back_project(views.maps, batch.correspondences, batch.non_zero, view_fusion),
                non_zero=batch.non_zero,
                labels=batch.label,
                masks=batch.mask,
                view_masks=batch.views_gt,
            )
            losses = training_losses(inputs, weights)
            optimizer.zero_grad()
            sum(weights[name] * loss for name, loss in losses.items()).backward()
            optimizer.step()
            rows.append(torch.stack([losses.get(term, torch.zeros(())).detach() for term in LOSS_TERMS]))
    return torch.stack(rows).double()


@pytest.mark.parametrize(
    ("weights", "view_fusion"),
    [
        (PUBLISHED_WEIGHTS, "mean"),
        ({"d2_pixel_loss": 0.5, "d3_point_loss": 2.0, "d2_image_loss": 1.0}, "mean"),
        (PUBLISHED_WEIGHTS, "max"),
        (PUBLISHED_WEIGHTS, "top2"),
    ],
)
def test_steps_are_those_of_the_method(
    backbone: ClipBackbone, dataset: MultiViewDataset, weights: dict[str, float], view_fusion: str
) -> None:
    learner, twin = fresh_learner(backbone), fresh_learner(backbone)
    path = choose_path(weights, view_fusion)
    examples = load_examples(PictureEncoder(backbone), dataset, path=path, description=None)
    found = losses_of(Training(backbone, learner, examples, replace(SETTINGS, loss_weights=weights)), 2)
    expected = method_step_by_step(backbone, twin, dataset, 2, weights, view_fusion)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for (name, one), other in zip(learner.named_parameters(), twin.parameters(), strict=True):
        # A vanishing gradient may turn a step of Adam round, so a few numbers differ by whole steps.
        assert (one - other).abs().quantile(0.99) < 1e-4, name


def test_losses_fall(backbone: ClipBackbone, examples: TrainingExamples) -> None:
    training = Training(backbone, fresh_learner(backbone), examples, replace(SETTINGS, epochs=8))
    sums = [sum(losses.means.values()) for losses in training.epochs()]
    assert len(sums) == 8
    assert sums[-1] < sums[0]


def test_only_chosen_terms_count(backbone: ClipBackbone, examples: TrainingExamples) -> None:
    settings = replace(SETTINGS, epochs=1, loss_weights={"d3_point_loss": 1.0})
    (losses,) = Training(backbone, fresh_learner(backbone), examples, settings).epochs()
    assert [term for term, mean in losses.means.items() if mean] == ["d3_point_loss"]


def test_the_backbone_stays_frozen(examples: TrainingExamples) -> None:
    backbone = small_backbone()
    before = backbone.fingerprint
    losses_of(Training(backbone, fresh_learner(backbone), examples, SETTINGS), 1)
    del backbone.__dict__["fingerprint"]
    assert backbone.fingerprint == before
    assert all(parameter.grad is None for parameter in backbone.parameters())


@pytest.mark.parametrize("interrupted_after", [1, 3])
def test_interrupted_training_goes_on_exactly(
    backbone: ClipBackbone, examples: TrainingExamples, tmp_path: Path, interrupted_after: int
) -> None:
    learner = fresh_learner(backbone)
    uninterrupted = losses_of(Training(backbone, learner, examples, SETTINGS), SETTINGS.epochs)

    first = Training(backbone, fresh_learner(backbone), examples, SETTINGS)
    losses_of(first, interrupted_after)
    path = tmp_path / "training_state.pt"
    save_training_state(path, first.state(), {"seed": 111})
    state = load_training_state(path, {"seed": 111})
    assert state is not None

    other_learner = PromptLearner(backbone, depth=3, generator=torch.Generator().manual_seed(4))
    second = Training(backbone, other_learner, examples, SETTINGS)
    second.restore(state)
    rest = losses_of(second, SETTINGS.epochs)
    steps = -(-SAMPLES // SETTINGS.batch_size)
    assert torch.equal(rest, uninterrupted[interrupted_after * steps :])
    assert torch.equal(torch.cat([losses.steps for losses in second.history]), uninterrupted)
    for name, value in learner.state_dict().items():
        assert torch.equal(other_learner.state_dict()[name], value), name


def test_a_state_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training_state.pt"
    assert load_training_state(path, {}) is None
    save_training_state(path, {}, {"seed": 111, "batch_size": 4})
    with pytest.raises(InputError, match=r"seed \(--seed: 111, now 5\)"):
        load_training_state(path, {"seed": 5, "batch_size": 4})
    older = {"seed": 111, "batch_size": 4, "init_fingerprint": "a"}  # which older versions did not store
    assert load_training_state(path, older) == {}
    save_training_state(path, {}, {"init_fingerprint": "a"})
    with pytest.raises(InputError, match="init_fingerprint"):
        load_training_state(path, {"init_fingerprint": "b"})


@pytest.mark.parametrize(
    "facts", [{None: 1}, {5: 1}, {"seed": 10**6000}, {"seed": [[1]]}, {"seed": torch.zeros(2)}, {"seed": {3: 4}}]
)
def test_facts_that_are_not_plain_are_refused(tmp_path: Path, facts: dict) -> None:
    path = tmp_path / "training_state.pt"
    save_training_state(path, {}, facts)
    with pytest.raises(InputError, match=r"not the state of a training.*--restart"):
        load_training_state(path, {"seed": 111})


def test_long_facts_are_told_shortened(tmp_path: Path) -> None:
    path = tmp_path / "training_state.pt"
    save_training_state(path, {}, {"seed": "9" * 10_000, "views": ["x" * 10_000] * 10_000})
    with pytest.raises(InputError, match=r"seed \(--seed: 9+….*, now 111\) and views") as refused:
        load_training_state(path, {"seed": 111})
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("content", [b"", b"nothing that torch knows"])
def test_a_damaged_state_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "training_state.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not the state of a training"):
        load_training_state(path, {})


def test_a_state_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "training_state.pt"
    torch.save({"state": Path("anything"), "facts": {}}, path)
    with pytest.raises(InputError, match="not the state of a training"):
        load_training_state(path, {})


def test_classes_that_teach_nothing_are_refused(backbone: ClipBackbone) -> None:
    encoder = PictureEncoder(backbone)
    with pytest.raises(InputError, match="no samples"):
        load_examples(encoder, small_dataset({"cube": 0}, training=True))
    with pytest.raises(InputError, match="no anomalous samples"):
        load_examples(encoder, small_dataset({"cube": 1}, training=True))
    with pytest.raises(InputError, match="ground truth"):
        load_examples(encoder, small_dataset({"cube": 2}), description=None)


def test_classes_that_nothing_normal_or_no_defect_is_seen_of_are_told(
    backbone: ClipBackbone, dataset: MultiViewDataset, caplog: pytest.LogCaptureFixture
) -> None:
    def load(source: RandomScan, options: SampleOptions) -> LoadedScan:
        scan = dataset.load(source, options)
        return replace(scan, views_gt=None if scan.views_gt is None else np.zeros_like(scan.views_gt))

    def told(sources: list[RandomScan], load: Callable[[RandomScan, SampleOptions], LoadedScan]) -> str:
        caplog.clear()
        load_examples(PictureEncoder(backbone), MultiViewDataset(sources, load, dataset.options), description=None)
        return " ".join(caplog.messages)

    sources = list(dataset.sources)
    assert told(sources, dataset.load) == ""
    anomalous = [source for source in sources if source.label]
    assert told(anomalous, dataset.load).startswith("training class cube: has no good samples")
    assert told(sources, load).startswith("training class cube: the masks of 2 samples mark points of which no view")
