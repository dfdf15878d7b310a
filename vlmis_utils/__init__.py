"""Semantic misalignment of vision-language models under perceptual degradation: the library."""

__version__ = "0.1.0"
