"""Collections made and looked at with Anki's own library, for tests. It holds global state, so it runs in a process of its own."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x00" + bytes(60)

MAKE = r"""
import json, sys, time
from pathlib import Path
from anki.collection import Collection, DeckIdLimit, ExportAnkiPackageOptions

folder, out, legacy, fsrs = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "legacy", sys.argv[4] == "fsrs"
col = Collection(str(folder / "collection.anki2"))
col.set_config("fsrs", fsrs)
root, cells = col.decks.id("Bio"), col.decks.id("Bio::Cells")

def add(kind, deck, tags=(), **fields):
    note = col.new_note(col.models.by_name(kind))
    for name, text in fields.items():
        note[name.replace("_", " ")] = text
    note.tags = list(tags)
    col.add_note(note, deck)
    return note

(folder / "cell one.png").write_bytes(bytes.fromhex(sys.argv[5]))
(folder / "moo.mp3").write_bytes(bytes.fromhex(sys.argv[6]))
col.media.add_file(str(folder / "cell one.png"))
col.media.add_file(str(folder / "moo.mp3"))
add("Basic", cells, ["exam", "bio::cells"], Front='What is <b>this</b>?<br><img src="cell one.png">', Back=r"A cell: \(E=mc^2 &lt; 1\)")
add("Basic (and reversed card)", cells, Front="Hund [sound:moo.mp3]", Back="dog")
add("Basic (optional reversed card)", cells, Front="Katze", Back="cat", Add_Reverse="y")
add("Basic (optional reversed card)", cells, Front="Maus", Back="mouse")
add("Basic (type in the answer)", cells, Front="2 + 2", Back="4")
add("Cloze", root, ["leech"], Text=r"The {{c1::mitochondrion::organelle}} makes {{c2::\(\frac{a}{{2} }\)}} and {{c1::heat}}", Back_Extra="<i>see ch. 3</i>")
model = col.models.copy(col.models.by_name("Basic"))
model["name"] = "Vocabulary"
col.models.add_field(model, col.models.new_field("Example"))
model["tmpls"][0]["afmt"] = "{{FrontSide}}<hr id=answer>{{Back}}<br>{{Example}}"
col.models.update_dict(model)
add("Vocabulary", root, Front="la maison", Back="the house", Example="<script>alert(1)</script>Je suis à la maison.")
for deck, ratings in ((cells, (4, 3, 2, 1)), (root, (4,))):
    col.decks.select(deck)
    for rating in ratings:
        card = col.sched.getCard()
        if card is None:
            break
        card.start_timer()
        col.sched.answerCard(card, rating)
        time.sleep(0.003)
new = col.db.list("select id from cards where type = 0 order by id")
col.sched.suspend_cards(new[:1])
col.sched.bury_cards(new[1:2])
reviewed = col.db.scalar("select id from cards where type = 2 limit 1")
col.sched.set_due_date([reviewed], "5")
options = ExportAnkiPackageOptions(with_scheduling=True, with_deck_configs=True, with_media=True, legacy=legacy)
col.export_anki_package(out_path=out, options=options, limit=DeckIdLimit(root))
col.close()
"""

LOOK = r"""
import json, sys, time
from pathlib import Path
from anki.collection import Collection, DeckIdLimit, ExportAnkiPackageOptions, ImportAnkiPackageOptions, ImportAnkiPackageRequest

folder, package, again = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
col = Collection(str(folder / "collection.anki2"))
options = ImportAnkiPackageOptions(with_scheduling=True, with_deck_configs=True)
col.import_anki_package(ImportAnkiPackageRequest(package_path=package, options=options))
notes = {}
for note_id in col.find_notes(""):
    note = col.get_note(note_id)
    cards = []
    for card in note.cards():
        data = json.loads(col.db.scalar("select data from cards where id = ?", card.id) or "{}")
        shown = card.render_output()
        cards.append({
            "ord": card.ord, "type": card.type, "queue": card.queue, "ivl": card.ivl, "factor": card.factor, "reps": card.reps,
            "lapses": card.lapses, "due": card.due - (col.sched.today if card.type == 2 else 0), "s": data.get("s"), "d": data.get("d"),
            "deck": col.decks.name(card.did), "question": shown.question_text, "answer": shown.answer_text,
            "revlog": [list(row) for row in col.db.all("select id, ease, ivl, lastIvl, factor, time, type from revlog where cid = ? order by id", card.id)],
        })
    notes[note.guid] = {"type": note.note_type()["name"], "fields": dict(note.items()), "tags": note.tags, "cards": cards}
media = sorted(path.name for path in Path(col.media.dir()).iterdir())
problems, is_sound = col.fix_integrity()
if again:
    if sys.argv[4]:
        note = col.get_note(col.find_notes(sys.argv[4])[0])
        note.fields[0] += " edited"
        time.sleep(1.1)
        col.update_note(note)
    deck = col.decks.id(sys.argv[5])
    options = ExportAnkiPackageOptions(with_scheduling=True, with_deck_configs=True, with_media=True, legacy=False)
    col.export_anki_package(out_path=again, options=options, limit=DeckIdLimit(deck))
col.close()
print(json.dumps({"notes": notes, "media": media, "is_sound": is_sound, "note_types": sorted({n["type"] for n in notes.values()})}))
"""


async def make_package(folder: Path, *, legacy: bool = False, fsrs: bool = True) -> Path:
    """A package with every stock note type, pictures, sounds, formulas, clozes with hints, and reviews of Anki's scheduler."""
    out = folder / "made.apkg"
    arguments = ("legacy" if legacy else "new", "fsrs" if fsrs else "sm2", PNG.hex(), MP3.hex())
    work = folder / "making"
    work.mkdir()
    await asyncio.to_thread(_run, MAKE, str(work), str(out), *arguments)
    return out


async def looked_at(
    folder: Path, package: Path, *, again: Path | None = None, edit: str = "", deck: str = ""
) -> Any:
    """What Anki sees in a package. With `again` it is exported from there once more, with an edited note if `edit` says so."""
    work = folder / f"look-{package.stem}"
    work.mkdir()
    said = await asyncio.to_thread(_run, LOOK, str(work), str(package), str(again or ""), edit, deck)
    return json.loads(said.splitlines()[-1])


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
