import { describe, expect, it } from "vitest";
import { ApiError } from "../src/api/http";
import type { Citation, Locator, Passage } from "../src/api/types";
import type { App } from "../src/state/app";
import { EvidenceState } from "../src/state/evidence";

const LOCATOR: Locator = {
  material_id: "m", material_title: "Lecture 3", segment: 11, page: null, page_label: null, slide: null, t_start: 690,
  t_end: 694, heading_path: [], char_start: 4, char_end: 20, boxes: [],
};
const CITATION: Citation = { number: 1, passage_id: "old", label: "11:30", quote: "what was said", locator: LOCATOR };
const PASSAGE = {
  locator: { ...LOCATOR, char_start: 0, char_end: 0 }, text: "the whole minute", segment_text: "the whole minute",
  image_url: null, previous: null, next: null, material: { id: "m", title: "Lecture 3", kind: "recording", page_count: 90 },
} satisfies Passage;

/** The evidence over a server that knows no passage by its id any more. */
function evidence(): { state: EvidenceState; asked: Record<string, unknown>[] } {
  const asked: Record<string, unknown>[] = [];
  const tool = (_name: string, args: Record<string, unknown>): Promise<Passage> => {
    asked.push(args);
    return "passage_id" in args
      ? Promise.reject(new ApiError("This passage does not exist any more.", 404, "passage_not_found"))
      : Promise.resolve(PASSAGE);
  };
  return { state: new EvidenceState({ api: { tool } } as unknown as App), asked };
}

describe("a citation of material that was read anew", () => {
  it("opens at its place, with its own words marked", async () => {
    const { state, asked } = evidence();
    await state.openCitation(CITATION);
    expect(asked).toEqual([{ passage_id: "old" }, { material_id: "m", page: 12 }]);
    expect(state.view.value).toMatchObject({ atCitation: true, loading: false, error: null });
    expect(state.view.value?.passage).toMatchObject({ text: "what was said", locator: LOCATOR });
  });

  it("needs no passage at all", async () => {
    const { state, asked } = evidence();
    await state.openCitation({ ...CITATION, passage_id: null });
    expect(asked).toEqual([{ material_id: "m", page: 12 }]);
    expect(state.view.value?.passage?.locator.char_start).toBe(4);
  });
});
