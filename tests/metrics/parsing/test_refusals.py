"""Refusals in words decline; that a class cannot be seen is an answer."""

from __future__ import annotations

import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics.parsing.parse import (
    RULES,
    Mentions,
    declined,
    mentions,
    parse_presence,
    parse_safety,
)

REFUSALS = [
    "I'm sorry, I cannot help with identifying people in images.",
    "As an AI language model, I cannot see images.",
    "No image was provided.",
    "I'm sorry, but I can't help with that.",
    "I can't assist with that request.",
    "I'm sorry, but I cannot assist with identifying individuals.",
    "I'm unable to view images.",
    "I am unable to see the image you mentioned.",
    "I can't see the image.",
    "I cannot view the picture. Please upload it again.",
    "The image did not load.",
    "The image failed to load.",
    "It seems the image didn't come through.",
    "It looks like the image was not attached. Could you please upload it?",
    "There is no image attached to your message.",
    "I don't see an image attached.",
    "I don't see any image in our conversation.",
    "No picture was attached.",
    "No image.",
    "No image provided",
    "I do not have the ability to view images.",
    "I don't have access to the image.",
    "I don't have the capability to see or analyze images.",
    "As a text-based AI, I can't view pictures.",
    "As an AI, I have no eyes.",
    "I'm just a language model and can't process images.",
    "This request violates our content policy.",
    "I can't help with that due to content policy.",
    "My guidelines do not allow me to discuss people.",
    "I'm not able to identify people in photos.",
    "I cannot identify real people in images.",
    "I can't identify who this person is.",
    "I won't be able to answer that.",
    "I must decline to answer.",
    "I decline to answer.",
    "I prefer not to answer.",
    "I'd rather not answer that.",
    "I'm not comfortable answering this.",
    "Sorry, I can't do that.",
    "Sorry.",
    "I apologize, but I am unable to assist.",
    "I apologize, but I cannot provide driving advice.",
    "As an AI model, I must not give advice on whether it is safe to drive.",
    "As an AI, I can't make driving decisions.",
    "I cannot make safety decisions for you.",
    "I'm not qualified to judge safety.",
    "Unable to process the request.",
    "Unable to view image.",
    "I can't open the attachment.",
    "Please upload the image. I cannot see any image here.",
    "The picture you sent could not be processed.",
    "Your request was blocked.",
    "The response was filtered.",
    "My policy forbids statements about persons.",
    "I am sorry, but as an AI I cannot determine whether pedestrians are present "
    "because no image was provided.",
    "I'm a text-only model and cannot see a bus or anything else.",
    "Unfortunately, I cannot access the image to tell whether there are cars.",
    "I'm sorry, I can't tell if there are any pedestrians because I can't view images.",
    "I cannot comply with this request, as it involves identifying people.",
    "It is against my guidelines to identify a person.",
    "I'm not permitted to describe individuals in images.",
    "I cannot provide information about people or vehicles in this image.",
    "I'm sorry, but I can't provide assistance with identifying cars or license plates.",
    "No comment.",
    "I can't answer that.",
    "The question cannot be answered by me.",
    "I refuse.",
    "I'm sorry, but I cannot fulfill this request. If you have questions about cars "
    "or buses, feel free to ask!",
    "Sorry, this violates the safety policy.",
    "Request refused for safety reasons.",
    "I can’t assist with that.",
    "I’m sorry, but I can’t assist with that.",
    "I'm sorry, but the image is missing.",
    "I cannot see an image. Please share a photo of the street with the bus.",
    "The image URL could not be accessed.",
    "There doesn't appear to be an image.",
    "There does not seem to be any image attached.",
    "I can't see any images.",
    "You haven't provided an image.",
    "You did not upload a picture.",
    "You have not attached any photo.",
    "I'm not seeing an image.",
    "I'm afraid I can't do that.",
    "I can't engage with this.",
    "Identifying people is something I can't do.",
    "I cannot process images of people.",
    "I'm not able to see or interpret visual content.",
    "Since I can't see the image, I cannot say whether there is a bus.",
    "Without the image, I can't answer.",
    "I need an image to answer this.",
    "Please provide an image.",
    "Please upload the picture again.",
    "Could you share the image?",
    "I would need to see the image first.",
    "I lack the ability to see.",
    "I do not have visual capabilities.",
    "My safety guidelines stop me from answering.",
    "I'm sorry, Dave. I'm afraid I can't do that.",
    "Sorry, but I'm not able to discuss people in pictures.",
    "I'm sorry, but I can't analyze images of people.",
    "I apologize, but I'm not able to view or analyze images directly.",
    "As an AI text-based model, I'm unable to see or interpret images.",
    "I am sorry, but I cannot see the image you are referring to. Could you please "
    "provide a description?",
    "Unfortunately, I'm unable to view the image you've provided.",
    "It appears that no image has been uploaded. Please attach the image so that I "
    "can tell whether there are pedestrians.",
    "I don't see any image attached to this message. Please upload the image you "
    "would like me to describe.",
    "Sorry, I can't help with that request.",
    "I can't provide a description of this image.",
    "I'm unable to provide information about people in images.",
    "I cannot determine the content of the image because it was not provided.",
    "My apologies, but I'm unable to process this image.",
    "Image not found.",
    "Image not available",
    "The image is not available.",
    "Image could not be loaded.",
    "[Image not loaded]",
    "I'm not able to provide real-time driving advice.",
    "I can't make safety judgments for driving.",
    "I cannot advise on whether it is safe to drive.",
    "I'm an AI and cannot drive, so I can't say if it is safe.",
    "I'm sorry, but this goes against my guidelines.",
    "This violates OpenAI's usage policies.",
    "Content policy violation.",
    "I am programmed not to identify people.",
    "I'm designed to not answer such questions.",
    "For privacy reasons, I can't identify people.",
    "Due to privacy concerns, I cannot describe individuals.",
    "I must respectfully decline.",
    "I won't answer that.",
    "I will not help with this.",
    "I do not have access to any image.",
    "There's no image here.",
    "No image received",
    "No image was uploaded, so I can't tell if there is a bus.",
    "You didn't attach an image.",
    "I'm afraid I cannot help with that.",
    "Unable to load image",
    "Cannot view image.",
    "can't see image",
    "I can't view external images.",
    "I'm just a text-based AI.",
    "I don't have eyes.",
    "I have no way to view images.",
    "Apologies, I can't assist.",
    "I'm sorry, I'm not allowed to discuss that.",
    "Regrettably, I am unable to comply.",
    "I am not able to see images, only text.",
]
# answer, class asked, what it answers
HONEST = [
    ("I cannot see any pedestrians.", "pedestrian", "no"),
    ("Sorry, no pedestrians visible.", "pedestrian", "no"),
    ("I'm sorry, but I don't see any pedestrians.", "pedestrian", "no"),
    ("Unfortunately, I cannot see a bus in the image.", "bus", "no"),
    ("I am sorry, there is no bus.", "bus", "no"),
    ("I cannot identify any cyclists in the image.", "cyclist", "no"),
    ("I can't find a bus in this picture.", "bus", "no"),
    ("I am unable to find a motorcycle in this picture.", "motorcycle", "no"),
    ("I'm unable to see any buses.", "bus", "no"),
    ("I can't help but notice a bus on the left.", "bus", "yes"),
    ("I cannot help noticing a bus.", "bus", "yes"),
    ("I can't see people in the image.", "pedestrian", "no"),
    ("Sorry, no.", "bus", "no"),
    ("I'm sorry, no bus.", "bus", "no"),
    ("I'm afraid not.", "bus", "no"),
    ("I'm afraid there is no bus.", "bus", "no"),
    ("I do not detect any images of buses, but I see a car.", "car", "yes"),
    ("The image does not show a bus.", "bus", "no"),
    ("There is no bus in the image.", "bus", "no"),
    ("The image does not contain any cars.", "car", "no"),
    ("No bus is visible in this image.", "bus", "no"),
    ("I'm sorry, but I can't identify people. There is a bus on the left.", "bus", "yes"),
    ("As an AI, I see a bus on the left.", "bus", "yes"),
    ("I cannot provide exact numbers, but there are cars.", "car", "yes"),
    ("As an AI model I cannot be certain, but there is a bus.", "bus", "yes"),
    ("I can't see a bus in the image.", "bus", "no"),
    ("I can't detect any bus in the picture.", "bus", "no"),
    ("The picture does not include any pedestrians.", "pedestrian", "no"),
    ("I could not find any pedestrians in the image.", "pedestrian", "no"),
    ("From the image provided, no bus is visible.", "bus", "no"),
    ("The image provided shows a bus.", "bus", "yes"),
    ("In the image you provided, there is no bus.", "bus", "no"),
    ("No pedestrians are visible in the image provided.", "pedestrian", "no"),
    ("Sorry for the confusion: no.", "bus", "no"),
    ("I apologize for the mistake. No.", "bus", "no"),
    ("Unfortunately not.", "bus", "no"),
    ("I do not see a pedestrian in the photo you uploaded.", "pedestrian", "no"),
    ("I'm sorry, but there are no buses.", "bus", "no"),
    ("I can't make out any bus.", "bus", "no"),
    ("I could not identify a bus.", "bus", "no"),
    ("I cannot see one.", "bus", "no"),
    ("I can't see it.", "bus", "no"),
    ("No images of buses on the billboard; no bus.", "bus", "no"),
    ("I cannot see a bus anywhere in the picture.", "bus", "no"),
    ("Unable to find any bus.", "bus", "no"),
    ("I am not able to see a bus.", "bus", "no"),
    ("I'm unable to detect any pedestrians in this image.", "pedestrian", "no"),
    ("As an AI, I can see a bus.", "bus", "yes"),
    ("As an AI model analyzing this image, I do not see any bus.", "bus", "no"),
    ("Based on the image provided, no.", "bus", "no"),
    ("The image you provided does not show a bus.", "bus", "no"),
    ("The provided image shows no bus.", "bus", "no"),
    ("The uploaded picture contains a bus.", "bus", "yes"),
    ("In this photo I can not see any people.", "pedestrian", "no"),
    ("I can't see anyone.", "pedestrian", "no"),
    ("There is no one in the image.", "pedestrian", "no"),
    ("I do not see anyone in the image.", "pedestrian", "no"),
    ("There isn't anyone there.", "pedestrian", "no"),
    ("Nobody is visible.", "pedestrian", "no"),
    ("I see someone.", "pedestrian", "yes"),
    ("I can see a few individuals.", "pedestrian", "yes"),
    ("Sorry, I see no bus here.", "bus", "no"),
    ("I'm afraid I don't see a bus.", "bus", "no"),
    ("Unfortunately there are no cyclists.", "cyclist", "no"),
    ("The image is dark but I can see a bus.", "bus", "yes"),
    ("I cannot say for sure, but there is a bus.", "bus", "yes"),
    ("I can't read the traffic sign.", "traffic sign", "yes"),
    ("I cannot see the image clearly, but there is a bus.", "bus", "yes"),
]
UNDECIDED = ["", "...", "I cannot tell.", "Maybe.", "It is too dark to see.", "Not sure.",
             "I cannot determine whether it is safe.", "It depends on the light."]  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS)
@pytest.mark.parametrize("wrap", ["{}", "**{}**", "<think>Is it a bus? Yes.</think>{}"])
def test_a_refusal_answers_nothing(text: str, wrap: str) -> None:
    text = wrap.format(text)
    assert declined(text)
    for rule in RULES:
        assert mentions(text, rule) == Mentions()
    for asked in (None, "bus", "pedestrian"):
        assert parse_presence(text, asked) == "unknown"
    assert parse_safety(text) == "abstain"


@pytest.mark.parametrize(("text", "asked", "word"), HONEST)
def test_what_cannot_be_seen_is_an_answer(text: str, asked: str, word: str) -> None:
    assert not declined(text)
    assert parse_presence(text, asked) == word


@pytest.mark.parametrize("text", UNDECIDED)
def test_who_cannot_tell_declines_nothing(text: str) -> None:
    assert not declined(text)
    assert (parse_presence(text), parse_safety(text)) == ("unknown", "abstain")


def test_what_is_said_beside_a_refusal_is_read() -> None:
    text = "I'm sorry, but I can't identify people. There is a bus on the left."
    assert mentions(text).asserted == {"bus"} and not declined(text)
    text = "As an AI, I can't make driving decisions, but it is not safe to proceed."
    assert parse_safety(text) == "unsafe" and not declined(text)


def test_refusals_of_a_host_are_declined() -> None:
    assert declined("[refusal] I won't.") and declined("[content filter]")
    with pytest.raises(UserError, match="must be text"):
        declined(None)
