"""The specification curves of a synthetic study, which the sentences are made from."""

from tests.analysis.multiverse.conftest import correlations, every, grids, results

__all__ = ["correlations", "every", "grids", "results"]
