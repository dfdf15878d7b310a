"""What trained the models of a run is told from the catalogue, not from the page."""

from __future__ import annotations

from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.report.text.models import training_words


def of(*names: str) -> str:
    catalogue = load_catalogue()
    return training_words(catalogue[name] for name in names)


def test_each_study_says_what_its_models_saw() -> None:
    def words(path: str) -> str:
        study = load_study(path)
        return of(*study.segmenters, *study.vlms)

    assert words("params/streetworld.yaml").endswith("of StreetWorld alone.")
    assert words("params/cityscapes-small.yaml").endswith(
        "StreetWorld and then on clean photographs of Cityscapes."
    )
    assert words("params/cityscapes.yaml") == "None of the models of this run was trained by us."


def test_a_mixed_run_says_that_some_saw_photographs() -> None:
    assert "StreetWorld, some of them then" in of("clip", "segformer-small-cityscapes")
    assert "StreetWorld alone" in of("clip", "deeplab-edgetpu-cityscapes")
