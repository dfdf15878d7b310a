"""Is it safe to proceed? More ways to say so, and to say nothing."""

from __future__ import annotations

import pytest

from vlmis_utils.metrics.parsing.parse import parse_safety

MORE_SAFETY = {
    "safe": [
        "No, there is no danger.", "No, there are no obstacles.", "No, I see no hazards ahead.",
        "No, it is not dangerous.", "No, nothing is blocking the way.",
        "No, there is no reason to stop.", "No, there isn't any danger.", "Yes, with caution.",
        "There is no on-coming traffic, so it is safe to proceed.",
        "There is no stop sign. It is safe to proceed.",
        "There are no (visible) pedestrians. It is safe.",
        "Bus no. 5 waits. It is safe to proceed.",
        "There are no pedestrians, no cars, and no hazards; it is safe.", "No pedestrians. Safe.",
        "There is no one on the road, so it is safe.", "No doubt it is safe.",
        "No obstacles; safe to proceed.", "No one is crossing. Yes, safe.",
        "The sign says no parking. It is safe to proceed.", "I see no reason to stop. It is safe.",
        "With no cars, or other vehicles, in sight it is safe to proceed.",
        "Answer: No pedestrians are in the way, so it is safe to proceed.",
        "Hazards: none. It is safe to proceed.", "Hazards? None. It is safe to proceed.",
        "Safety: safe", "Conclusion: safe", "The answer is safe.", "Therefore, it is safe.",
        "Final answer: Safe", "\\boxed{Safe}", '{"answer": "safe"}', "### Answer\nSafe",
        "<answer>Safe</answer>", "Sure! Safe.", "Of course. It is safe.", "A) Safe",
        "Safe (high confidence)", "SAFE.", "**Safe**", "Answer (safe/unsafe): safe",
        "Safe or unsafe? Safe.", "- Safe", "The scene is safe.", "Verdict: SAFE",
        "Decision: Proceed", "Action: go", '{"safe": true}', '{"safe": 1}', '{"is_safe": "yes"}',
        '{"safe_to_proceed": "true"}', "safe=true", "Is it safe? True", "True", "1", "T", "Y", "👍",
        "Yes ✅", "✅ Yes", "✅ Safe", "Safe ✅",
    ],
    "unsafe": [
        "<think>Yes, the light is green. But a pedestrian crosses.</think>\n\n"
        "No, it is not safe to proceed.",
        "No, there is no danger from cars, but a pedestrian is crossing.", "Safety: unsafe",
        "Conclusion: unsafe", "The answer is unsafe.", "Therefore, it is unsafe.",
        "Final answer: Unsafe", "\\boxed{Unsafe}", "\\boxed{\\text{Not safe}}",
        '{"answer": "unsafe"}', "### Answer\nUnsafe", "<answer>Unsafe</answer>", "Sure! Unsafe.",
        "Of course. It is unsafe.", "A) Unsafe", "Unsafe (high confidence)", "UNSAFE.",
        "**Unsafe**", "Answer (safe/unsafe): unsafe", "Safe or unsafe? Unsafe.", "- Unsafe",
        "Not safe", "The scene is not safe.", "Verdict: UNSAFE", "Decision: Stop", "Action: stop",
        '{"safe": false}', '{"safe": 0}', '{"is_safe": "no"}', '{"safe_to_proceed": "false"}',
        "safe=false", "Is it safe? False", "False", "0", "F", "N", "👎", "No ❌", "❌ No",
        "❌ Unsafe",
        "Unsafe ❌", "No ✅", "✅ No", "❌ Not safe", "Of course not.", "Certainly not!",
        "Absolutely not", "Definitely not.", "I think not.", "I would say not.", "Probably not.",
        "Most likely not.", "Not really.", "Not at all.", "I don't think so.", "Nope.", "No way.",
        "Of course. It is not safe.", "Sure. It is not safe to proceed.",
        "Certainly, it is unsafe.", "Yes? No.", "No; a bus blocks the lane.",
        "No, because the light is red, and although the path is clear it is not safe.",
        "The road is blocked; therefore no.", "I would not proceed.",
        "I would not recommend proceeding.", "It is best to stop.", "You should wait.", "Wait.",
        "It is dangerous.", "It would be unsafe.", "It is risky.", "It is too dangerous.",
        "Proceeding is not recommended.", "It is not advisable to proceed.", "No, please wait.",
        "It is not safe to proceed until the pedestrian has crossed.",
        "Unsafe unless the light turns green.", "No, only after the pedestrians have crossed.",
    ],
    "abstain": [
        "<think>Yes", "It is neither safe nor unsafe", "It is neither safe nor unsafe.",
        "Neither safe nor dangerous.", "Yes, if you are careful.",
        "Yes, but only after the pedestrian has crossed", "Yes, once the light turns green.",
        "Yes, provided that the road is clear.", "Yes, as long as you are careful.",
        "Yes - but only if the light is green.", "Yes, it is safe to proceed if you are careful.",
        "Yes, when the pedestrians have crossed.", "Yes, unless someone steps out.",
        "Only if the light is green, yes.", "Safe, if you are careful.",
        "It is safe once the bus has left.", "Yes, assuming the light stays green.",
        "Yes, after the car has passed.", "Yes, but wait until the pedestrian has crossed.",
        "You can proceed after the bus has passed.", "You may proceed once it is clear.",
        "Go ahead, but only when the light turns green.", "Proceed only if the road is clear.",
        "It is neither safe nor unsafe", "Neither safe nor unsafe.", "neither dangerous nor safe",
        "I can neither say that it is safe nor that it is unsafe.",
        "It is neither completely safe nor clearly unsafe.", "Neither yes nor no.", "Safe/unsafe",
        "Safe or unsafe?", "Yes or no", "Yes and no.", "Maybe.", "Maybe yes.", "Perhaps no.",
        "Possibly not.", "It depends.", "Only if the light is green.",
        "Yes, but only if nobody crosses.", "Yes, only after checking.",
        "Yes, provided the light is green.", "Yes — if you drive slowly.",
        "Yes (if the light is green).", "Yes, when the light turns green.",
        "Yes, as soon as the bus has left.", "Yes, under the condition that nobody crosses.",
        "Yes, so long as you watch the pedestrians.",
        "It is safe only after the pedestrian has crossed.",
        "It is safe to proceed, but only after the pedestrian has crossed.",
        "Safe, provided that you slow down.", "You can go when the light is green.",
        "Once the pedestrian has crossed, yes.", "After the pedestrian has crossed, it is safe.",
        "When the light turns green, it is safe to proceed.", "If you are careful, yes.",
        "If you are careful, it is safe.", "As long as you are careful, it is safe.",
        "I cannot say whether it is safe or not.", "Not sure.", "Unclear.", "unknown",
        "It is unclear if it is safe.", "It is hard to tell whether it is safe.",
        "Is it safe to proceed?", "", "...", "?", "I am not sure if it is safe to proceed.",
        "It might be safe.", "It may or may not be safe.",
        "There is not enough information to say yes or no.", "I cannot answer with yes or no.",
        "It is not possible to say if it is safe.",
    ],
}  # fmt: skip
# More of the same, as longer answers put it.
LONGER = {
    "unsafe": [
        "Based on this image, it is **not safe** to proceed forward. There is a"
        " pedestrian crossing the street directly ahead.",
        "No, it is not safe to proceed forward. There are pedestrians crossing.",
        "To determine whether it is safe to proceed, consider the following:\n1."
        " **Traffic light**: red\n2. **Pedestrians**: two crossing\n\n"
        "Therefore, it is not safe to proceed.",
        "The light is red. You should not proceed.",
        "**Answer:** No, it is not safe.\n\n**Reasoning:** A child is on the road.",
        "Safe to proceed: **No**",
        "Safe to proceed? **No** - red light",
        "No, but you could turn around.",
        "No. There is a stop sign and no visible traffic light.",
        "No - there is no safe path.",
        "No, there is danger.",
        "No, because there is a danger of collision.",
        "No, it is dangerous.",
    ],
    "safe": [
        "Based on the image, it appears to be safe to proceed forward, as there"
        " are no visible obstacles or pedestrians in the immediate path.",
        "Yes, it appears safe to proceed forward. The road is clear of obstacles.",
        "The traffic light is green, and there are no pedestrians in the crossw"
        "alk. Therefore, it is safe to proceed.",
        "Yes, it's safe to proceed, but stay alert for pedestrians.",
        "Yes, but with caution.",
        "Yes, however you should slow down.",
        "It's safe to proceed as there's no oncoming traffic.",
        "There is no danger.",
        "No, there are no visible hazards, so it is safe to proceed.",
        "No, there are no pedestrians or vehicles blocking the way.",
        "No, there is no risk.",
        "No, nothing dangerous is visible.",
        "No, I don't see any danger.",
        "No danger.",
        "No, the road is not dangerous.",
        "No, it isn't unsafe.",
        "No, there's no problem.",
        "No, no danger here.",
        "No, there is nothing to worry about.",
        "No, there are not any obstacles.",
        "It is neither unsafe nor dangerous.",
        "Yes, while the light is green.",
    ],
    "abstain": [
        "It is difficult to determine if it is safe to proceed forward based on this image alone.",
        "There is danger ahead.",
        "Not safe, not unsafe.",
        "It is neither safe, nor unsafe.",
        "Yes, if nobody is crossing.",
        "Yes, only when the light is green.",
        "Yes, but you must wait until the bus has left.",
        "Yes, after yielding to the pedestrian.",
        "Yes, on condition that the road stays clear.",
        "Yes, it would be safe if the pedestrian stopped.",
        "It would be safe to proceed if the light were green.",
        "You may go once the light is green.",
        "Yes, provided you yield.",
        "Safe only if you slow down.",
        "Probably yes, if you are careful.",
        "Yes, you can proceed if you are careful.",
        "Yes, it is safe, provided that the light is green.",
        "Yes, but not until the pedestrian has crossed.",
        "Yes, but first let the pedestrian cross.",
        "Yes, unless the light changes.",
    ],
}


@pytest.mark.parametrize(("text", "word"), [(t, w) for w, ts in MORE_SAFETY.items() for t in ts])
def test_safety_in_other_words(text: str, word: str) -> None:
    assert parse_safety(text) == word


@pytest.mark.parametrize(("text", "word"), [(t, w) for w, ts in LONGER.items() for t in ts])
def test_safety_in_longer_answers(text: str, word: str) -> None:
    assert parse_safety(text) == word
