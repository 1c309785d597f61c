"""A pre-trained network on clips: CPU time per clip, and its tags beside the original's.

    GENREBASE_AUDIO_MODELS=FOLDER OMP_NUM_THREADS=1 python -m benchmarks.pretrained NAME FILE...

Prints the CPU seconds of each clip, decoding left out, and the greatest difference between the
first values and those in FOLDER/original_tags.npz, where `scripts/convert_musicnn.py` was given
the same files.
"""

import argparse
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from genrebase.audio.decode import decode_file
from genrebase.audio.pretrained import PretrainedNetwork
from genrebase.runtime.audio_models import find_models


def main() -> None:
    """Describe each clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    (model,) = find_models([options.name])
    network = PretrainedNetwork(model)
    tags = model.path.parent / "original_tags.npz"
    originals = dict(np.load(tags)) if tags.exists() else {}
    shares = []
    for path in options.files:
        clip = decode_file(path)
        started = process_time()
        values = network.describe(clip.samples)
        seconds = process_time() - started
        shares.append(seconds / clip.seconds)
        line = f"{path.name}: {clip.seconds:.1f} s of audio, {seconds:.2f} CPU s"
        if path.name in originals:
            original = originals[path.name]
            difference = np.abs(values[: len(original)] - original).max()
            line += f", greatest difference from the original {difference:.1e}"
        print(line)
    print(f"median: {30 * median(shares):.2f} CPU s per 30 s of audio")


if __name__ == "__main__":
    main()
