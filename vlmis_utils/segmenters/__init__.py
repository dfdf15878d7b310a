"""Segmentation models under test: a checkpoint becomes a function from images to label maps.

Public checkpoints and the embedded ones load by the same code: DeepLabV3+ through
`vlmis_utils.deeplab`, the others through transformers with their own image processor. An image is
segmented whole, or window by window where the catalogue says so; scores are upsampled bilinearly to
the image's size before the greatest is taken.
"""

from __future__ import annotations

from vlmis_utils.segmenters.labels import label_table
from vlmis_utils.segmenters.loading import LIBRARIES, folder_digest, load_segmenter
from vlmis_utils.segmenters.model import Segmenter
from vlmis_utils.segmenters.options import Options

__all__ = [
    "LIBRARIES",
    "Options",
    "Segmenter",
    "folder_digest",
    "label_table",
    "load_segmenter",
]
