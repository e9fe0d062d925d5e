"""Which files of a downloaded model folder hold the weights: one, or several listed by an index."""

from pathlib import Path

from pointad.errors import InputError
from pointad.files.existing import is_beside, require_file
from pointad.files.json_files import read_json
from pointad.files.presence import is_file, is_folder

INDEX_SUFFIX = ".index.json"
# In order of preference: open_clip's own files tell more about the model, and safetensors are the safest to read.
_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
SETTINGS_BESIDE = (
    "open_clip_config.json",
    *("config.json", "preprocessor_config.json", "processor_config.json"),
    *("tokenizer.json", "spiece.model", "tokenizer.model"),
)
"""Files that describe a model and its texts, which are read with the weights in the same folder."""

_ADAPTER = "adapter_config.json"  # of the library peft


def weights_in(folder: Path) -> Path:
    """The file of weights, or the index of several, in a folder as downloaded from Hugging Face.

    Raises:
        InputError: there is none, or an adapter would change it, which transformers applies without being asked to.
    """
    if is_file(folder / _ADAPTER):
        problem = "holds an adapter (LoRA), the change of another model's weights"
        raise InputError(folder, problem, "merge it into that model (merge_and_unload in peft), and give the result")
    for name in _FILES:
        if is_beside(folder / name):
            return folder / name
    raise InputError(folder, "holds no CLIP weights", f"give a file, or a folder with {_FILES[2]} or {_FILES[4]}")


def shards_of(index: Path) -> list[Path]:
    """The files that an index lists, each once, all of them beside it.

    Raises:
        InputError: the index is unreadable, or a file is missing or not beside it.
    """
    remedy = "download the folder again"
    content = read_json(index, remedy)
    names = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) for name in names.values()):
        raise InputError(index, "is not an index of weights: it has no weight_map", remedy)
    shards = sorted(set(names.values()))
    for name in shards:
        if not name or name.startswith(".") or any(separator in name for separator in "/\\\0"):
            raise InputError(index, f"lists a file that is not beside it ({name[:60]!r})", remedy)
    return [require_file(index.with_name(name), "part of the weights not found", remedy) for name in shards]


def files_of_weights(place: Path) -> list[Path]:
    """All files that are read with weights.

    Args:
        place: a file, an index of several, or a folder with one of these.

    Raises:
        InputError: the folder holds no weights, or the index or a part cannot be read.
    """
    file = weights_in(place) if is_folder(place) else place
    beside = [file.with_name(name) for name in SETTINGS_BESIDE]
    parts = shards_of(file) if file.name.endswith(INDEX_SUFFIX) else []
    return [file, *parts, *filter(is_file, beside)]
