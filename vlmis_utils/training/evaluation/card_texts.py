"""What a model card says of the data that a checkpoint was trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass

from vlmis_utils.training.data import SCENES
from vlmis_utils.training.evaluation.goals import GOALS, PHOTOGRAPH_GOALS, Goal

__all__ = ["TEXTS", "CardText"]


@dataclass(frozen=True)
class CardText:
    """The sentences that depend on the data.

    Attributes:
        suffix: of the catalogue's name, after the architecture's.
        dataset: its name on the hub; shown: in words, before the number of scenes.
        tags: of the hub.
        licence_name, licence_link: where the catalogue's licence is none of the hub's.
        made: how it was trained, after "A model with the architecture of X,".
        purpose: what it is for, and what not.
        training: what it saw.
        command: trains it again.
        evaluation: after "On N scenes".
        licence: the last section, after the licence's name.
        goals: that it was held against.
    """

    suffix: str
    dataset: str
    shown: str
    tags: tuple[str, ...]
    made: str
    purpose: str
    training: str
    command: str
    evaluation: str
    licence: str
    goals: tuple[Goal, ...]
    licence_name: str = ""
    licence_link: str = ""


TEXTS: dict[str, CardText] = {
    "streetworld": CardText(
        suffix="",
        dataset="streetworld",
        shown="StreetWorld, clean held-out scenes",
        tags=("streetworld", "synthetic", "driving", "small"),
        made="trained from scratch on clean scenes of StreetWorld, a procedural world of street"
        " scenes at 256 x 512 pixels.",
        purpose="For that study, for teaching and for tests of code. It knows one synthetic world"
        " and nothing else: it is no public checkpoint of its namesake, tells nothing about that"
        " one's quality, and must not be used on real streets.",
        training=f"Up to {SCENES} scenes of the split train, clean; labels, captions and questions"
        " come from the world's own truth.",
        command="`make weights` trains it again from nothing.",
        evaluation="clean scenes of a world that neither training nor the book's study uses",
        licence="as the code that made it and the scenes that it was trained on.",
        goals=GOALS,
    ),
    "cityscapes": CardText(
        suffix="-small-cityscapes",
        dataset="cityscapes",
        shown="Cityscapes, clean frames of three held-out cities",
        tags=("cityscapes", "driving", "small"),
        made="trained on 1,944 clean photographs of Cityscapes at 320 x 640 pixels, from the"
        " weights of the same study's synthetic world on.",
        purpose="For that study, for teaching and for tests of code, without commercial use. It was"
        " trained for minutes on less than one core: it is no public checkpoint of its namesake,"
        " tells nothing about that one's quality, and must not drive anything.",
        training="Frames of the official part train (fine annotation; Cordts et al. 2016) of all"
        " its cities but Erfurt and Jena, which choices were made on, and Bochum, Ulm and Weimar,"
        " which it is measured on. Captions and questions come from the label maps, the safety"
        " label from the lane on flat ground in front of the camera.",
        command="`make weights DATA=cityscapes DATA_ROOT=<folder>` trains it again.",
        evaluation="clean frames of cities that neither training nor any choice used (priors and"
        " probes learn from 648 training frames)",
        licence="The frames are for non-commercial research"
        " (https://www.cityscapes-dataset.com/license/), and their terms allow abstract"
        " derivatives such as trained models to be passed on; so this checkpoint is for"
        " non-commercial research too. No frame is part of it.",
        goals=PHOTOGRAPH_GOALS,
        licence_name="cityscapes-non-commercial",
        licence_link="https://www.cityscapes-dataset.com/license/",
    ),
}
