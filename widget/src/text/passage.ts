// A passage inside its segment's text. The server counts code points, JavaScript UTF-16 units.

export interface Marked {
  before: string;
  marked: string;
  after: string;
}

/** Splits the text around [start, end) code points; falls back to finding `passage`, then to no mark at all. */
export function markPassage(segmentText: string, start: number, end: number, passage: string): Marked {
  const from = unitOffset(segmentText, start);
  const to = unitOffset(segmentText, end);
  if (from !== null && to !== null && to > from) return cut(segmentText, from, to);
  const found = passage ? segmentText.indexOf(passage) : -1;
  if (found >= 0) return cut(segmentText, found, found + passage.length);
  return { before: segmentText, marked: "", after: "" };
}

function cut(text: string, from: number, to: number): Marked {
  return { before: text.slice(0, from), marked: text.slice(from, to), after: text.slice(to) };
}

/** The UTF-16 offset of a code point offset, or null when the text is shorter. */
function unitOffset(text: string, points: number): number | null {
  if (points < 0) return null;
  let unit = 0;
  for (let seen = 0; seen < points; seen++) {
    const code = text.codePointAt(unit);
    if (code === undefined) return null;
    unit += code > 0xffff ? 2 : 1;
  }
  return unit;
}
