"""List the samples of a rendered Eyecandies data set in its folder: all_meta.json and one <class>_meta.json per class.

    cd generate_dataset_json; python eyecandies.py --data_path RENDERED

scripts/render_dataset.py writes the same files; this is for data sets that were rendered elsewhere, or moved.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.entry import run_generator

if __name__ == "__main__":
    run_generator("eye_pc_3d_rgb", __doc__ or "")
