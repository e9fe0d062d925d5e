"""The pre-training's objective: smallest when features say what is seen, and blind to what it should not see."""

import torch
import torch.nn.functional as F

from pretraining.marks import KINDS
from pretraining.objective import (
    ANY_MARK,
    FIRST_KIND,
    PLAIN,
    PretrainingLosses,
    pretraining_losses,
    visible_kinds,
    wording_loss,
)

GRID, MAP = 4, 16
STATES = 2 + len(KINDS)


def state_features() -> torch.Tensor:
    """One direction for "plain", one for each kind, and "any mark" between all kinds."""
    states = torch.eye(STATES + 4)[:STATES]
    states[ANY_MARK] = states[FIRST_KIND:].sum(dim=0)
    return states


def example() -> tuple[torch.Tensor, torch.Tensor]:
    """Kind maps of four pictures, whole patches marked or none, and the state row of every patch."""
    patch_rows = torch.full((4, GRID, GRID), PLAIN)
    patch_rows[1, 0, 0] = FIRST_KIND + 2
    patch_rows[2, 1:3, 2] = FIRST_KIND + 5
    patch_rows[3, 3, 3] = FIRST_KIND + 11
    kinds = (patch_rows - ANY_MARK).clamp(min=0)
    return kinds.repeat_interleave(MAP // GRID, 1).repeat_interleave(MAP // GRID, 2).to(torch.uint8), patch_rows


def losses_of(patch_rows: torch.Tensor, picture_rows: torch.Tensor, kind_maps: torch.Tensor) -> PretrainingLosses:
    states = state_features()
    pictures = states[picture_rows]
    return pretraining_losses(pictures, states[patch_rows.flatten(1)][:, None], pictures, states, kind_maps)


def test_right_features_beat_plain_and_wrong_ones_in_every_term() -> None:
    kind_maps, patch_rows = example()
    picture_rows = patch_rows.flatten(1).max(dim=1).values
    right = losses_of(patch_rows, picture_rows, kind_maps)
    plain = losses_of(torch.zeros_like(patch_rows), torch.zeros_like(picture_rows), kind_maps)
    wrong = losses_of(patch_rows.flip(0), picture_rows.flip(0), kind_maps)
    for name in ("picture_state", "patch_kind", "patch_map"):
        assert getattr(right, name) < 0.6 * getattr(plain, name)
        assert getattr(right, name) < 0.6 * getattr(wrong, name)
    assert right.total() < plain.total()
    assert right.patch_kind < 1e-3


def test_lengths_of_features_do_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    kind_maps, _ = example()
    features = [
        torch.randn(shape, generator=generator) for shape in ((4, 32), (4, 2, GRID * GRID, 32), (4, 32), (STATES, 32))
    ]
    once = pretraining_losses(*features, kind_maps)
    scaled = pretraining_losses(*(7 * feature for feature in features), kind_maps)
    torch.testing.assert_close(once.total(), scaled.total())


def test_pictures_without_marks_and_with_marks_everywhere_are_fine() -> None:
    generator = torch.Generator().manual_seed(1)
    features = [
        torch.randn(shape, generator=generator) for shape in ((4, 32), (4, 2, GRID * GRID, 32), (4, 32), (STATES, 32))
    ]
    for value in (0, 3):
        losses = pretraining_losses(*features, torch.full((4, MAP, MAP), value, dtype=torch.uint8))
        assert torch.isfinite(losses.total())


def test_gradients_reach_pictures_patches_and_texts() -> None:
    generator = torch.Generator().manual_seed(2)
    kind_maps, _ = example()
    shapes = ((4, 32), (4, 2, GRID * GRID, 32), (4, 32), (STATES, 32))
    features = [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]
    pretraining_losses(*features, kind_maps).total().backward()
    for feature in features:
        assert feature.grad is not None
        assert feature.grad.abs().sum() > 0


def test_sentences_lie_as_near_as_what_they_say_is_alike() -> None:
    """Sentences placed by hand as the wording term wants them leave it nothing to do."""
    size = 1 + len(KINDS)
    general, own = torch.eye(size)[0], torch.eye(size)[1:]
    kinds = F.normalize(general + own, dim=1)
    states = torch.cat([torch.stack([-general, general]), kinds])
    # What is left of a caption beside its state says the body; these two bodies have nothing in common.
    beside = torch.eye(2) * 0.4**0.5
    captions = torch.cat([0.6**0.5 * torch.stack([-general, kinds[3]]), beside], dim=1)
    states_and_no_body = torch.cat([states, torch.zeros(len(states), 2)], dim=1)
    bodies = torch.tensor([[0, 0], [1, 1]])
    among_captions = captions @ captions.T
    torch.testing.assert_close(among_captions.diagonal(), torch.ones(2))
    seen = torch.zeros(2, len(KINDS), dtype=torch.bool)
    seen[1, 3] = True  # only the second caption names a mark
    apart = wording_loss(captions.flip(0), states_and_no_body, seen, bodies)
    fitting = wording_loss(captions, states_and_no_body, seen, bodies)
    # Captions and states agree up to the length that the body takes: sqrt(0.6) against 0.6.
    assert fitting < 0.02 < apart


def test_cut_outs_have_no_captions_and_are_judged_all_the_same() -> None:
    generator = torch.Generator().manual_seed(3)
    kind_maps, _ = example()
    shapes = ((4, 32), (4, 2, GRID * GRID, 32), (4, 32), (STATES, 32))
    pictures, patches, captions, states = (torch.randn(shape, generator=generator) for shape in shapes)
    without = pretraining_losses(pictures, patches, None, states, kind_maps)
    told = pretraining_losses(pictures, patches, captions, states, kind_maps)
    assert without.caption == 0
    assert told.caption > 0
    for name in ("picture_state", "patch_kind", "patch_map"):
        torch.testing.assert_close(getattr(without, name), getattr(told, name))


def test_pictures_with_several_kinds_of_mark_are_not_asked_for_one() -> None:
    """Changing what such a picture says of the kinds changes nothing, as long as it says "marked" as before."""
    kind_maps, patch_rows = example()
    states = state_features()
    patches = states[patch_rows.flatten(1)][:, None]

    def losses() -> tuple[torch.Tensor, ...]:
        answers = [
            states[[PLAIN, FIRST_KIND + kind, FIRST_KIND + 5, FIRST_KIND + 11]] for kind in (2, 7)
        ]  # right, wrong
        return tuple(pretraining_losses(each, patches, None, states, kind_maps).picture_state for each in answers)

    right, wrong = losses()
    assert wrong > right + 0.1
    kind_maps[1, 8:, 8:] = 9  # a second kind in the second picture
    torch.testing.assert_close(*losses())


def test_kinds_count_as_seen_from_six_cells_on() -> None:
    kind_maps = torch.zeros(2, 84, 84, dtype=torch.uint8)
    kind_maps[0, 0, :5] = 1
    kind_maps[0, 5, :6] = 4
    seen = visible_kinds(kind_maps)
    assert seen.shape == (2, len(KINDS))
    assert seen.nonzero().tolist() == [[0, 3]]
