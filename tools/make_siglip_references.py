#!/usr/bin/env python
"""Store what transformers makes of the tests' small SigLIP: features of pictures and texts, and token ids.

    pip install transformers
    python tools/make_siglip_references.py

Run it again only when that model, its texts or its pictures change. The stored file was made by transformers 5.24.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "model")]

from small_siglip import CONTEXT, REFERENCES, TEXTS, pictures, write_hugging_face_folder

from pointad.commands.program import HelpFormatter, run
from pointad.files.atomic import atomic_path


@torch.no_grad()
def main(arguments: argparse.Namespace) -> None:
    from transformers import SiglipModel, SiglipTokenizer

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "siglip"
        write_hugging_face_folder(folder)
        model = SiglipModel.from_pretrained(str(folder)).eval()
        tokenizer = SiglipTokenizer(str(folder / "spiece.model"))
    token_ids = tokenizer(list(TEXTS), padding="max_length", max_length=CONTEXT, return_tensors="pt").input_ids
    found = {
        "pictures": model.get_image_features(pixel_values=pictures()).pooler_output,
        "texts": model.get_text_features(input_ids=token_ids).pooler_output,
        "token_ids": token_ids,
    }
    with atomic_path(REFERENCES) as path, path.open("wb") as file:
        np.savez(file, **{name: tensor.numpy() for name, tensor in found.items()})
    print(f"{REFERENCES}: {', '.join(f'{name} {tuple(tensor.shape)}' for name, tensor in found.items())}")


if __name__ == "__main__":
    run(main, argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter))
