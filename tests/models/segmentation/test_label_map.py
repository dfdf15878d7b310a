"""Labels are matched by name, or by the user's table."""

from __future__ import annotations

import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.models.segmentation.label_map import label_table, missing_classes
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

ADE = ["wall", "building", "sky", "floor", "tree", "ceiling", "road", "person", "earth", "car"]
MAP = {"tree": "vegetation", "Earth": "terrain", "floor": "ignore", "ceiling": "ignore"}


def test_names_are_matched_and_the_rest_follows_the_map() -> None:
    table = label_table("m", ADE, MAP)
    found = ["ignore" if i == IGNORE else TRAIN_CLASSES[i] for i in table]
    assert found == ["wall", "building", "sky", "ignore", "vegetation", "ignore", "road", "person",
                     "terrain", "car"]  # fmt: skip
    assert missing_classes(table) == tuple(
        word for word in TRAIN_CLASSES if word not in found
    )  # fmt: skip


def test_a_star_stands_for_what_is_not_named() -> None:
    table = label_table("m", ADE, {"tree": "vegetation", "*": "ignore"})
    assert [TRAIN_CLASSES[i] for i in table if i != IGNORE] == [
        "wall", "building", "sky", "vegetation", "road", "person", "car",
    ]  # fmt: skip
    assert label_table("m", ["x", "road"], {"*": "car"}).tolist() == [13, 0]


def test_the_map_is_stronger_than_a_name() -> None:
    assert label_table("m", ["wall", "house"], {"wall": "ignore", "house": "wall"}).tolist() == [
        IGNORE, TRAIN_CLASSES.index("wall"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "given", "words"),
    [
        (ADE, None, "unknown: floor, tree, ceiling, earth; missing: sidewalk, .* and 5 more"),
        (ADE, {"tree": "vegetation"}, "unknown: floor, ceiling, earth; missing"),
        (ADE, {"treee": "vegetation"}, "names 'treee', .*did you mean 'tree'"),
        (ADE, MAP | {"floor": "vegetaton"}, "'vegetaton', .*did you mean 'vegetation'"),
        (ADE, {"*": "ignore"} | dict.fromkeys(ADE, "ignore"), "leaves no train class"),
        ([f"LABEL_{i}" for i in range(150)], None, "LABEL_7 and 142 more"),
        ([*TRAIN_CLASSES, "LABEL_19"], None, "unknown: LABEL_19; missing: none"),
        (TRAIN_CLASSES[:18], None, "unknown: none; missing: bicycle"),
    ],
)
def test_refusals_name_the_classes(labels, given, words) -> None:
    with pytest.raises(UserError, match=words) as caught:
        label_table("m", labels, given)
    assert "\n" not in str(caught.value) and "'m'" in str(caught.value)
