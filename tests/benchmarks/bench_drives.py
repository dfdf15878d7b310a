"""Measures over time of every drive of a study of sequences, from its records, for the book.

    vlmis run params/sequences.yaml --no-book
    python tests/benchmarks/bench_drives.py build/sequences/records --save

Numbers alone are kept, no frame and no label map.
"""

from __future__ import annotations

import sys

import pandas as pd
from paired import keep

from vlmis_utils.analysis.sequences.aggregation import by_rule
from vlmis_utils.analysis.sequences.results import open_sequence_results

# Answers that a rule reads together, as on the page about aggregation.
WINDOW = 3


def main() -> None:
    found = open_sequence_results(sys.argv[1])
    pixels = found.segmentation_by_drive().rename(columns={"segmenter": "model"})
    spoken = by_rule(found, WINDOW).rename(columns={"vlm": "model"})
    drives = found.places.groupby("sequence").safe.agg(frames="size", safe="mean").reset_index()
    each = pd.concat([pixels.assign(rule=""), spoken], ignore_index=True)
    each = drives.assign(rate=found.study.rate).merge(each, on="sequence")
    print(each.describe().T.round(3).to_string())
    if "--save" in sys.argv[2:]:
        keep(f"drives-{found.study.dataset}", each.to_dict("records"))


if __name__ == "__main__":
    main()
