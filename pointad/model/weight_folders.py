"""Where weights and learned prompts lie on disk."""

from pathlib import Path

from pointad.errors import InputError

CHECKPOINT_FOLDER = Path(__file__).resolve().parents[2] / "checkpoints"


def demo_checkpoints() -> list[Path]:
    """The learned prompts that come along for the demo backbone, in the order of their training classes.

    Raises:
        InputError: there are none.
    """
    folder = CHECKPOINT_FOLDER / "demo"
    found = sorted(folder.glob("*/epoch_*.pth"))
    if not found:
        raise InputError(
            folder, "holds no learned prompts", "restore the folder, give a checkpoint, or run: bash train.sh"
        )
    return found
