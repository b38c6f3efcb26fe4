"""A lecture as captions: three topics spoken one after the other, every sentence with its time."""

import base64
from uuid import UUID

from tests.work import call, run_job
from tools.context import Principal
from tools.executor import Executor

TOPICS = {
    "photosynthesis": [
        "Good morning everybody, can everyone hear me?",
        "Photosynthesis is the process by which plants turn light into chemical energy.",
        "Chlorophyll in the chloroplasts absorbs red and blue light and reflects green light.",
        "The light reactions of photosynthesis split water and release oxygen into the air.",
        "Um, the Calvin cycle then uses this energy to build sugar out of carbon dioxide.",
        "In 1779 Jan Ingenhousz showed that plants release oxygen only in the light.",
        "About 70 percent of the oxygen in the air was made by photosynthesis of algae in the sea.",
        "For example, a large oak tree releases some 100 kilograms of oxygen in a year by photosynthesis.",
        "Without chlorophyll a leaf absorbs hardly any light, so photosynthesis stops in autumn.",
        "Plants close the stomata of their leaves at noon to save water, and photosynthesis slows down.",
    ],
    "mitosis": [
        "Now let's turn to the division of cells.",
        "Mitosis is the division of a nucleus into two nuclei with the same chromosomes.",
        "Before mitosis begins, the cell copies each of its chromosomes.",
        "In metaphase the chromosomes line up in the middle of the cell.",
        "In anaphase the spindle fibres pull the copies of the chromosomes to opposite poles of the cell.",
        "Human cells have 46 chromosomes, and after mitosis each daughter cell has 46 chromosomes again.",
        "Walther Flemming described mitosis in 1882 in cells of salamander larvae.",
        "For instance, the cells of your skin divide by mitosis about once in 24 hours.",
        "Cancer cells divide by mitosis without control, because checkpoints of the cell cycle fail.",
        "Cytokinesis is the division of the rest of the cell after mitosis.",
    ],
    "enzymes": [
        "Moving on, let's talk about enzymes.",
        "An enzyme is a protein that speeds up a chemical reaction in the cell.",
        "Each enzyme binds its substrate in the active site, like a key in a lock.",
        "Enzymes lower the activation energy of a reaction and are not used up by it.",
        "Pepsin, an enzyme of the stomach, works best at pH 2 and stops working at pH 7.",
        "Most human enzymes work best at 37 degrees, and heat above 60 degrees destroys their shape.",
        "Competitive inhibitors look like the substrate and block the active site of the enzyme.",
        "James Sumner crystallised the first enzyme, urease, in 1926.",
        "For example, lactase is an enzyme that splits the sugar of milk.",
        "Cofactors such as zinc are needed by many enzymes to bind the substrate.",
    ],
}
SECONDS = 6.0
"""Each sentence takes so long."""
SENTENCES = [sentence for topic in TOPICS.values() for sentence in topic]


def begins_at(sentence: str) -> float:
    """The second at which a sentence of the lecture begins."""
    return SENTENCES.index(sentence) * SECONDS


def captions() -> str:
    """WebVTT with a cue for each sentence."""
    cues = [
        f"{stamp(n * SECONDS)} --> {stamp((n + 1) * SECONDS)}\n{sentence}"
        for n, sentence in enumerate(SENTENCES)
    ]
    return "\n\n".join(["WEBVTT", *cues, ""])


def stamp(seconds: float) -> str:
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{seconds % 60:06.3f}"


async def recorded(executor: Executor, who: Principal, class_name: str = "Biology") -> str:
    """The lecture as a material that is ready, in a class of this name. Gives its id."""
    await call(executor, who, "create_class", name=class_name)
    content = base64.b64encode(captions().encode()).decode()
    taken = await call(
        executor, who, "upload_material", class_id=class_name, filename="Cells.vtt", content_base64=content
    )
    await run_job(executor.storage, who, UUID(taken["job_id"]))
    return str(taken["material_id"])
