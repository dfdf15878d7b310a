"""Sentences about photographs say where records are from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from vlmis_utils.report.text import photographs as words


@pytest.mark.parametrize("kept", [True, False])
def test_the_origin_says_whether_the_photographs_were_at_hand(kept: bool) -> None:
    row = {"dataset": "cityscapes", "split": "test", "height": 320, "width": 640}
    results = SimpleNamespace(
        scenes=pd.DataFrame([row]), records=Path("book/measured/cityscapes-small/records")
    )
    said = words.origin(SimpleNamespace(kept=kept, results=results))
    assert "1 scene of Cityscapes" in said
    assert ("No model ran" in said) == kept == ("params/cityscapes-small.yaml" in said)
