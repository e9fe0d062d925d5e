"""List the samples of a rendered MVTec 3D-AD data set in its folder: all_meta.json and one <class>_meta.json per class.

    cd generate_dataset_json; python mvtec3d-ad.py --data_path RENDERED

scripts/render_dataset.py writes the same files; this is for data sets that were rendered elsewhere, or moved.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pointad.commands.entry import run_generator

if __name__ == "__main__":
    run_generator("mvtec_pc_3d_rgb", __doc__ or "")
