"""How well search finds: nDCG@10 on the questions of SQuAD 1.1 (dev), and what stemming does for German ones (XQuAD).

Protocol: every paragraph of the corpus becomes one segment with one chunk of a single material, without its article's
title, so that a found chunk is a found paragraph; the pipeline embeds them (the model reads the first 256 tokens). A
random sample of the questions, the same at every run (seed 2026), is asked in sequence through the functions that
`search_materials` uses: BM25 by words, cosine by meaning, and the whole engine, which fuses both. nDCG is binary over
the first 10 (Järvelin, Kekäläinen 2002); ± is 1.96 standard errors of the mean over the questions of the sample.

The German paragraphs are indexed twice, under PostgreSQL's english and german configurations, and asked by words alone.
"""

import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from uuid import UUID

from benchmarks.report import Section, p50_p95
from benchmarks.tools_in_process import Inside
from storage.repositories.lexical import Scope
from tools.ingest.service import make_worker
from tools.intake import once, receive
from tools.search.engine import by_meaning, by_words, search
from tools.search.query import parse

CLASS_NAME = "SQuAD"
SEED = 2026
DEPTH = 10
BATCH = 500


async def measure_quality(inside: Inside, folder: Path, limit: int) -> Section:
    """`folder` holds corpus.jsonl, queries.jsonl and qrels.tsv. `limit` questions are asked."""
    job_id, names = await index_paragraphs(inside, CLASS_NAME, records(folder / "corpus.jsonl"))
    await make_worker(inside.storage, "benchmarks").work(job_id, inside.owner.user_id)
    wanted, sample = questions_of(folder, limit)
    scores: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}
    for question in sample:
        for way, (ids, taken) in (await answers(inside, question["text"])).items():
            found = [names[i] for i in ids[:DEPTH]]
            scores.setdefault(way, []).append(ndcg(found, wanted[question["id"]]))
            seconds.setdefault(way, []).append(taken)
    section = Section("quality", "Quality on SQuAD", ["nDCG@10", "±", "p50 ms", "p95 ms"])
    section.rows = {
        way: [mean(values), error_of_mean(values), *p50_p95(seconds[way])] for way, values in scores.items()
    }
    section.notes.append(f"{len(sample)} questions (seed {SEED}) over {len(names)} paragraphs")
    return section


async def measure_german(inside: Inside, folder: Path, limit: int) -> Section:
    """BM25 alone, by the rules of English and of German."""
    wanted, sample = questions_of(folder, limit)
    paragraphs = records(folder / "corpus.jsonl")
    section = Section("german", "German questions on XQuAD", ["nDCG@10", "±"])
    for config in ("english", "german"):
        _, names = await index_paragraphs(inside, f"XQuAD {config}", paragraphs, config)
        scores = []
        async with inside.storage.as_user(inside.owner.user_id, read_only=True) as db:
            scope = Scope((await db.classes.resolve(f"XQuAD {config}")).id)
            for question in sample:
                found = await by_words(db, question["text"], scope, [config])
                scores.append(ndcg([names[key] for key, _ in found[:DEPTH]], wanted[question["id"]]))
        section.rows[f"by words (BM25), {config}"] = [mean(scores), error_of_mean(scores)]
    section.notes.append(f"{len(sample)} questions (seed {SEED}) over {len(paragraphs)} paragraphs")
    return section


def questions_of(folder: Path, limit: int) -> tuple[dict[str, set[str]], list[dict[str, str]]]:
    """The relevant paragraphs by question, and the questions that are asked."""
    wanted = judgements(folder / "qrels.tsv")
    questions = [q for q in records(folder / "queries.jsonl") if q["id"] in wanted]
    return wanted, random.Random(SEED).sample(questions, min(limit, len(questions)))


def error_of_mean(values: Sequence[float]) -> float:
    return 1.96 * stdev(values) / math.sqrt(len(values))


async def answers(inside: Inside, question: str) -> dict[str, tuple[list[UUID], float]]:
    """Chunk ids, best first, and seconds, for each way to search."""
    storage, found = inside.storage, {}
    async with storage.as_user(inside.owner.user_id, read_only=True) as db:
        target = await db.classes.resolve(CLASS_NAME)
        scope = Scope(target.id)
        reach = await db.lexical.reach(scope)
        for way, searching in (
            ("by words (BM25)", by_words(db, question, scope, reach.configs)),
            ("by meaning (dense)", by_meaning(storage, question, reach.collections)),
        ):
            began = time.monotonic()
            hits = await searching
            found[way] = ([key for key, _ in hits], time.monotonic() - began)
        began = time.monotonic()
        vector = await storage.query_vectors.of(question)
        fused = await search(storage, db, parse(question), vector, scope, reach)
        found["both, fused"] = ([hit.key for hit in fused], time.monotonic() - began)
    return found


async def index_paragraphs(
    inside: Inside, class_name: str, paragraphs: Sequence[Mapping[str, str]], config: str = "english"
) -> tuple[UUID, dict[UUID, str]]:
    """One material with a chunk for each paragraph, which words find. Gives the job that embeds it, and the paragraph's id
    for each chunk. No worker may run beside."""
    await inside.call("create_class", name=class_name)
    upload_id = await receive(inside.storage, inside.owner, f"{class_name}.txt", once(class_name.encode()))
    taken = await inside.call("upload_material", class_id=class_name, upload_id=str(upload_id))
    material_id = UUID(taken["material_id"])
    new_id = inside.storage.clock.new_id
    names = {new_id(): paragraph["id"] for paragraph in paragraphs}
    async with inside.storage.as_user(inside.owner.user_id) as db:
        material = await db.materials.resolve(str(material_id))
        common = {"user_id": inside.owner.user_id, "material_id": material_id}
        segments = [segment_row(n, p) | common | {"id": new_id()} for n, p in enumerate(paragraphs)]
        for start in range(0, len(segments), BATCH):
            await db.materials.add_segments(segments[start : start + BATCH])
        count = inside.storage.embedder.count_tokens
        chunks = [
            chunk_row(n, p["text"], count(p["text"]))
            | common
            | {"id": key, "class_id": material.class_id, "text_config": config}
            for n, (key, p) in enumerate(zip(names, paragraphs, strict=True))
        ]
        await db.materials.replace_chunks(material, chunks)
        words = sum(row["word_count"] for row in chunks)
        await db.materials.set(
            material_id,
            status="searchable",
            segment_kind="section",
            page_count=len(segments),
            chunk_count=len(chunks),
            word_count=words,
        )
    return UUID(taken["job_id"]), names


def segment_row(ordinal: int, paragraph: Mapping[str, str]) -> dict[str, Any]:
    text = paragraph["text"]
    return {"ordinal": ordinal, "kind": "section", "number": ordinal + 1, "text": text}


def chunk_row(ordinal: int, text: str, tokens: int) -> dict[str, Any]:
    """A whole paragraph as a chunk."""
    return {
        "ordinal": ordinal,
        "segment": ordinal,
        "type": "text",
        "text": text,
        "char_start": 0,
        "char_end": len(text),
        "token_count": tokens,
        "word_count": len(text.split()),
    }


def ndcg(found: Sequence[str], relevant: AbstractSet[str]) -> float:
    """Normalised discounted cumulative gain of a ranking with binary grades, 0 to 1."""
    gain = sum(1 / math.log2(rank + 2) for rank, item in enumerate(found) if item in relevant)
    best = sum(1 / math.log2(rank + 2) for rank in range(min(len(relevant), DEPTH)))
    return gain / best


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def judgements(path: Path) -> dict[str, set[str]]:
    """The relevant paragraphs of each question."""
    wanted: dict[str, set[str]] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            question, paragraph, grade = line.rstrip("\n").split("\t")
            if int(grade) > 0:
                wanted.setdefault(question, set()).add(paragraph)
    return wanted
