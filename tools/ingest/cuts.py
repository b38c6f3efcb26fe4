"""Where a text may be cut: between lines, sentences, or the paragraphs of a program. Pure; [start, end) without blank edges."""

import re
from collections.abc import Iterator

from tools.ingest.sentences import sentence_spans

Span = tuple[int, int]

_PROGRAM = re.compile(
    r"[{}]|[=!<>]=|->|:=|[;{(\[:\\,]\s*$|^\s*(?:#|//|/\*|\$|>>>|In \[\d+\]:|@\w)|\w\(.*\)\s*;?$|^\s*[\w.\[\]]+\s*[+\-*/]?=\s*\S"
    r"|^\s*(?:def|class|import|from|return|for|while|if|else|elif|try|print|int|void|public|private|end|function)\b"
)


def trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without white space around it; nothing when there is nothing else."""
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        left = start + len(piece) - len(piece.lstrip())
        yield left, left + len(stripped)


def line_spans(text: str, start: int, end: int) -> Iterator[Span]:
    position = start
    for line in text[start:end].split("\n"):
        yield from trimmed(text, position, position + len(line))
        position += len(line) + 1


def text_spans(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences; lines where a "sentence" spans many (verse, addresses)."""
    for left, right in sentence_spans(text, start, end):
        if text.count("\n", left, right) > 2:
            yield from line_spans(text, left, right)
        else:
            yield left, right


def is_code(text: str) -> bool:
    """Whether a paragraph with line breaks is a program or its output: indented, or most lines look like statements."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return False
    statements = sum(_PROGRAM.search(line) is not None for line in lines)
    indented = sum(line.startswith(("  ", "\t")) for line in lines[1:])
    return statements * 2 > len(lines) or (indented > 0 and statements * 4 >= len(lines))


def code_spans(text: str, start: int, end: int) -> Iterator[Span]:
    """The paragraphs of a program: from a line that is not indented, after a blank line or after an indented one."""
    begin = position = start
    after_body = False
    for line in text[start:end].split("\n"):
        indented = line[:1].isspace()
        if line.strip() and not indented and after_body:
            yield from trimmed(text, begin, position)
            begin = position
        after_body = indented or not line.strip()
        position += len(line) + 1
    yield from trimmed(text, begin, end)
