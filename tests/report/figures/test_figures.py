"""Every figure draws from synthetic records, in the book's look, and stays readable on a phone."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import correlation
from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.classes import PALETTE
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.report import figures as fig
from vlmis_utils.report import style
from vlmis_utils.report.style import colour, marker, show

LABELS = {"clip": "CLIP"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=6), bootstrap=50)


def draw(name: str, results: Results):
    quality, language = results.segmentation_by_condition(), results.vlm_by_condition()
    presence = results.presence()
    by_class = fig.load_class_iou(quality)
    match name:
        case "miou":
            paper = tables.load_table3()
            return fig.plot_ladders(quality, "segmenter", {"miou": "mIoU"}, LABELS, paper)
        case "language":
            return fig.plot_ladders(language, "vlm", fig.METRICS, LABELS)
        case "split":
            return fig.plot_smr_split(language, LABELS)
        case "presence":
            return fig.plot_presence(presence[presence.condition == "clean"], LABELS)
        case "class_iou":
            return fig.plot_class_iou(by_class, LABELS)
        case "class_drop":
            return fig.plot_class_drop(by_class, "segformer")
        case "scatter":
            return fig.plot_scatter(results.pairs(), "segformer", LABELS)
        case "correlations":
            return fig.plot_correlations(correlation.correlations(results), LABELS, "pearson")
        case "changes":
            return fig.plot_changes(results.pairs(), LABELS)
        case "shares":
            return fig.plot_class_shares(fig.load_class_shares(results.scenes, 4e-4))
        case "reasons":
            return fig.plot_reasons(fig.load_reasons(results.scenes))
        case "psnr":
            return fig.plot_psnr(fig.load_psnr(results.conditions))
        case "palette":
            return fig.plot_palette()
    raise AssertionError(name)


NAMES = ("miou language split presence class_iou class_drop scatter correlations changes shares "
         "reasons psnr palette").split()  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_draws_without_title_on_white(name: str, results: Results) -> None:
    figure = draw(name, results)
    assert figure.get_suptitle() == ""
    assert figure.get_figwidth() == style.WIDTH
    ticks = [t for a in figure.axes for t in (*a.get_xticklabels(), *a.get_yticklabels())]
    sizes = [tick.get_fontsize() for tick in ticks]
    assert min(sizes, default=10) >= 9
    picture = Image.open(io.BytesIO(show(figure, dpi=60).data)).convert("RGB")
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert len(picture.getcolors(maxcolors=1 << 20)) > 5


def test_gallery_is_a_jpeg_that_keeps_the_pictures_shape() -> None:
    pictures = [np.full((20, 40, 3), level, np.uint8) for level in (0, 90, 200)]
    image = show(fig.plot_gallery(pictures, ["a", "b", "c"]), photographs=True, dpi=60)
    opened = Image.open(io.BytesIO(image.data))
    assert opened.format == "JPEG" and opened.width == 60 * style.WIDTH


def test_looks_do_not_leak(results: Results) -> None:
    before = mpl.rcParams["font.size"]
    draw("psnr", results)
    assert mpl.rcParams["font.size"] == before


def test_colourise_paints_classes_and_leaves_ignored_black() -> None:
    painted = fig.colourise(np.array([[0, 18, 255]], np.uint8))
    assert painted[0, :2].tolist() == PALETTE[[0, 18]].tolist()
    assert painted[0, 2].tolist() == [0, 0, 0]


def test_models_have_distinct_and_steady_colours() -> None:
    known = ["deeplabv3plus", "segformer", "mask2former", "clip", "siglip", "qwen2-vl"]
    assert len({colour(m) for m in known}) == len(known)
    assert colour("a-new-model") == colour("a-new-model")


def test_a_model_for_photographs_looks_like_its_namesake_and_unlike_the_public_one() -> None:
    study = load_study("params/cityscapes-small.yaml")
    looks = [(colour(m), marker(m)) for m in (*study.segmenters, *study.vlms)]
    assert len(set(looks)) == len(looks) == 7
    for name in ("deeplabv3plus", "segformer", "mask2former", "clip", "siglip", "qwen2-vl"):
        assert (colour(name), marker(name)) in looks


def test_class_shares_count_presence_like_the_metrics(results: Results) -> None:
    shares = fig.load_class_shares(results.scenes, 4e-4).set_index("language_class")
    clean = results.truth[results.truth.condition == "clean"]
    assert shares.presence["car"] == pytest.approx(np.mean(["car" in p for p in clean.present]))
    assert shares.pixels.sum() == pytest.approx(1)


def test_reasons_lose_their_distances(results: Results) -> None:
    reasons = fig.load_reasons(results.scenes)
    assert set(reasons.reason) <= {"clear", "car in corridor"}
    assert reasons.scenes.sum() == len(results.scenes)
