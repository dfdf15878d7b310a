"""How much of the safety label of photographs hangs on the camera and on the rule's constants.

    python tests/benchmarks/bench_label.py /path/to/cityscapes --save

The folder holds images/<split>, labels/<split> and classes.yaml. Numbers alone are kept.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
from paired import keep

from vlmis_utils.datasets.folder import open_folder
from vlmis_utils.protocol.ground_corridor import CITYSCAPES_CAMERA, ground_rule

_HALF_DEGREE = math.radians(0.5)
_CAMERA = CITYSCAPES_CAMERA
# Words -> what `ground_rule` is given instead.
CHANGES = {
    "camera half a degree up": {"camera": replace(_CAMERA, pitch=_CAMERA.pitch - _HALF_DEGREE)},
    "camera half a degree down": {"camera": replace(_CAMERA, pitch=_CAMERA.pitch + _HALF_DEGREE)},
    "straight ahead is the principal point": {"camera": replace(_CAMERA, column=1096.98 / 2048)},
    "camera 10 cm lower": {"camera": replace(_CAMERA, height=_CAMERA.height - 0.1)},
    "camera 10 cm higher": {"camera": replace(_CAMERA, height=_CAMERA.height + 0.1)},
    "corridor 3 m wide": {"half_width": 1.5},
    "corridor 4 m wide": {"half_width": 2.0},
    "stopping distance 14 m": {"limit": 14.0},
    "stopping distance 20 m": {"limit": 20.0},
}


def main() -> None:
    root = sys.argv[1]
    maps = [s.labels() for s in open_folder(root, f"{root}/classes.yaml", "test", None, 0)]
    unsafe = np.array([not ground_rule(labels)[0] for labels in maps])
    rows = []
    for change, given in CHANGES.items():
        other = np.array([not ground_rule(labels, **given)[0] for labels in maps])
        rows.append({
            "change": change, "frames": len(maps), "unsafe": int(unsafe.sum()),
            "turns_safe": int((unsafe & ~other).sum()),
            "turns_unsafe": int((other & ~unsafe).sum()),
        })  # fmt: skip
        print(rows[-1], flush=True)
    if "--save" in sys.argv[2:]:
        keep("label-constants", rows)


if __name__ == "__main__":
    main()
