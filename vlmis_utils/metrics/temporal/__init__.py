"""Measures over time: what a model says of a sequence, not of a picture.

All take a drive at a time: arrays over its frames, in order. A mean over drives, with an interval
from resampled drives, is taken in `analysis.sequences`; frames of one drive are never taken for
independent ones.
"""
