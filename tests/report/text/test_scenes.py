"""Sentences and pictures about scenes: true whatever the scenes are."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, TRAIN_CLASSES
from vlmis_utils.protocol.ground_corridor import Camera, ground_mask
from vlmis_utils.protocol.image_corridor import (
    IMAGE_THRESHOLD,
    corridor_mask,
    corridor_shares,
    image_rule,
)
from vlmis_utils.report.figures import safety_label as rule
from vlmis_utils.report.style import show
from vlmis_utils.report.text import scenes as scene_findings

CAR, PERSON = (TRAIN_CLASSES.index(name) for name in ("car", "person"))
SIZE = (60, 120)


@dataclass(frozen=True, eq=False)
class Made:
    """A scene with so many pixels of its corridor covered, from the middle of a row on."""

    scene_id: str
    pixels: int
    safe: bool = True
    safety_reason: str = "clear"
    size: tuple[int, int] = field(default=SIZE)

    def labels(self) -> np.ndarray:
        labels = np.zeros(self.size, np.uint8)
        rows, columns = np.nonzero(corridor_mask(*self.size))
        order = np.argsort(np.abs(columns + 0.5 - self.size[1] / 2), kind="stable")
        labels[rows[order[: self.pixels]], columns[order[: self.pixels]]] = PERSON
        return labels

    def image(self) -> np.ndarray:
        return np.full((*self.size, 3), 120, np.uint8)


AREA = int(corridor_mask(*SIZE).sum())
LIMIT = int(np.ceil(IMAGE_THRESHOLD * AREA))


def by_rule(name: str, pixels: int) -> Made:
    scene = Made(name, pixels)
    return Made(name, pixels, *image_rule(scene.labels()))


PLAIN = [by_rule(f"s{i}", pixels) for i, pixels in enumerate((0, 1, LIMIT - 1, LIMIT, 3 * LIMIT))]
GEOMETRIC = [
    Made("a", 0, False, "red light"),
    Made("b", 0, True),
    Made("c", LIMIT - 1, False, "pedestrian in corridor at 9.3 m; red light"),
    Made("d", LIMIT, False, "pedestrian in corridor at 8.0 m"),
    Made("e", 2 * LIMIT, True),
]


def test_a_wider_trapezoid_holds_the_narrower_one() -> None:
    masks = [corridor_mask(100, 200, scale) for scale in (0.5, 1.0, 2.0)]
    for inner, outer in zip(masks, masks[1:], strict=False):
        assert (outer | ~inner).all() and inner.sum() < outer.sum()
    assert np.array_equal(masks[1], corridor_mask(100, 200))


def test_the_rule_is_the_share_against_the_threshold() -> None:
    for scene in PLAIN:
        share = sum(corridor_shares(scene.labels()).values())
        assert share == pytest.approx(scene.pixels / AREA)
        for threshold in (0.01, 0.04, 0.2):
            for scale in rule.SCALES:
                covered = sum(corridor_shares(scene.labels(), scale).values())
                safe, _ = image_rule(scene.labels(), threshold, scale)
                assert safe == (covered < threshold)


def test_cover_has_a_row_for_each_scene_and_scale() -> None:
    cover = rule.load_cover(PLAIN)
    assert len(cover) == len(PLAIN) * len(rule.SCALES)
    usual = cover[cover.scale == 1.0]
    assert usual.cover.tolist() == pytest.approx([s.pixels / AREA for s in PLAIN])
    assert set(usual.user[usual.cover > 0]) == {"pedestrian"}
    few = rule.load_cover([by_rule(str(i), 0) for i in range(50)], most=7)
    assert few.scene_id.nunique() == 7 and {"0", "49"} <= set(few.scene_id)
    with pytest.raises(UserError, match="no scenes"):
        rule.load_cover([])


def test_the_sweep_against_the_rule_itself() -> None:
    frame = rule.load_rule(rule.load_cover(GEOMETRIC))
    assert len(frame) == len(rule.SCALES) * len(rule.THRESHOLDS)
    for row in frame.sample(25, random_state=0).itertuples():
        said = np.array([image_rule(s.labels(), row.threshold, row.scale)[0] for s in GEOMETRIC])
        usual = np.array([image_rule(s.labels())[0] for s in GEOMETRIC])
        assert row.unsafe == pytest.approx((~said).mean())
        assert row.moved == pytest.approx((said != usual).mean())
        assert row.agree == pytest.approx((said == [s.safe for s in GEOMETRIC]).mean())
    for _, rows in frame.groupby("scale"):
        assert (np.diff(rows.sort_values("threshold").unsafe) <= 0).all()
    usual = frame[(frame.scale == 1) & np.isclose(frame.threshold, IMAGE_THRESHOLD)]
    assert usual.moved.tolist() == [0]


def test_the_narrowest_scenes_are_picked_from_both_sides() -> None:
    assert rule.pick_corridors(rule.load_cover(PLAIN)) == ["s1", "s2", "s3", "s4"]
    assert rule.pick_corridors(rule.load_cover(PLAIN), 2) == ["s2", "s3"]
    assert len(rule.pick_corridors(rule.load_cover(PLAIN[:3]))) == 3
    assert rule.pick_corridors(rule.load_cover(PLAIN[:1])) == ["s0"]


def test_agreement_with_geometry_is_counted() -> None:
    said = scene_findings.rule_agreement(rule.load_cover(GEOMETRIC), geometry=True)
    assert "calls 40 % of 5 scenes unsafe, geometry 60 %; they agree on 2." in said
    assert "Of the 3 that geometry calls unsafe the image rule passes 2, 1 of them for" in said
    assert said.endswith("of the 2 safe ones it stops 1.")
    agreed = [Made("x", 3 * LIMIT, False, "car in corridor at 3.0 m")]
    said = scene_findings.rule_agreement(rule.load_cover(agreed), geometry=True)
    assert "passes 0; of the 0 safe ones it stops 0." in said and "light" not in said


def test_without_geometry_nothing_is_compared() -> None:
    said = scene_findings.rule_agreement(rule.load_cover(PLAIN), geometry=False)
    assert said == "The rule calls 40 % of 5 scenes unsafe."


def test_sensitivity_is_the_share_of_labels_that_turn() -> None:
    cover = rule.load_cover(PLAIN)
    said = scene_findings.rule_sensitivity(rule.load_rule(cover))
    covers = cover[cover.scale == 1].cover.to_numpy()
    usual = covers >= IMAGE_THRESHOLD
    for factor, words in ((0.5, "half the threshold"), (2, "twice the threshold")):
        turned = ((covers >= factor * IMAGE_THRESHOLD) != usual).mean()
        assert f"{words} {100 * turned:.0f} %" in said
    empty = scene_findings.rule_sensitivity(rule.load_rule(rule.load_cover(PLAIN[:1])))
    assert empty.endswith("None of these changes touches the label of these scenes.")


def test_what_is_not_annotated_is_named() -> None:
    assert "all 19" in scene_findings.annotation_words(LANGUAGE_CLASSES)
    said = scene_findings.annotation_words(set(LANGUAGE_CLASSES) - {"wall", "train"})
    assert said.startswith("Their labels do not know wall and train: ")


def test_scenes_of_several_sizes_are_said_to_be() -> None:
    row = {"dataset": "folder", "split": "val", "height": 10, "width": 20}
    said = scene_findings.dataset_words(pd.DataFrame([row, row | {"height": 11}]))
    assert (
        said
        == "2 scenes of a folder of photographs (split val), of 2 sizes, the first 20×10 pixels"
    )


@pytest.mark.parametrize("scenes", [PLAIN, GEOMETRIC, PLAIN[:1]])
def test_the_pictures_draw(scenes: list[Made]) -> None:
    cover = rule.load_cover(scenes)
    names = set(rule.pick_corridors(cover))
    shown = [scene for scene in scenes if scene.scene_id in names]
    for figure in (
        rule.plot_corridors(shown, cover),
        rule.plot_rule(rule.load_rule(cover), geometry=scenes is GEOMETRIC),
        rule.plot_labelled(rule.pick_labelled(scenes)),
    ):
        data = show(figure).data
        assert Image.open(io.BytesIO(data)).width == round(5.4 * 160)


@pytest.mark.parametrize(
    ("unsafe", "safe", "of_each"),
    [(20, 20, (6, 6)), (2, 20, (2, 10)), (20, 3, (9, 3)), (0, 4, (0, 4))],
)
def test_scenes_to_look_at_are_half_of_each_kind(
    unsafe: int, safe: int, of_each: tuple[int, int]
) -> None:
    scenes = [Made(str(i), 0, i >= unsafe) for i in range(unsafe + safe)]
    picked = rule.pick_labelled(scenes)
    assert (sum(not s.safe for s in picked), sum(s.safe for s in picked)) == of_each


def test_the_corridor_shown_is_that_of_the_label() -> None:
    scene = Made("x", 0)
    assert np.array_equal(rule.corridor_of(scene), corridor_mask(*SIZE))
    camera = Camera(0.9, 1.3, 0.0)
    object.__setattr__(scene, "camera", camera)
    assert np.array_equal(rule.corridor_of(scene), ground_mask(camera, *SIZE))
