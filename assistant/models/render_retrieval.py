"""Why a search found what it found, as readable Markdown."""

from collections.abc import Callable
from typing import Any

from assistant.models.render_study import flat


def explanation(artifact: dict[str, Any]) -> str:
    """The cause and what mends it, then where the expected passage stands and what is above it."""
    blocks = [flat(artifact.get("why"))]
    if artifact.get("mend"):
        blocks.append(f"**What helps:** {flat(artifact['mend'])}")
    missing = [w for w in artifact.get("words") or [] if not w.get("passages")]
    if missing:
        stems = ", ".join(flat(stem) for word in missing for stem in word.get("stems", []))
        blocks.append(f"No passage that was searched holds: {stems}.")
    if artifact.get("expected"):
        ranks = [f"{stage['stage']} {stage['rank'] or '–'}" for stage in artifact.get("stages") or []]
        blocks.append(f"Its rank by stage: {', '.join(ranks)}.")
    above = [
        f"{row['rank']}. *{flat(row['material_title'])}*, {flat(row['label'])}"
        for row in artifact.get("above") or []
    ]
    if above:
        blocks.append("\n".join(["Above it:" if artifact.get("cause") else "The best results:", "", *above]))
    return "\n\n".join(blocks)


RENDERERS: dict[str, Callable[[dict[str, Any]], str]] = {"explain_search": explanation}
