import { describe, expect, it } from "vitest";
import { problemError, sentenceOf } from "../src/api/http";
import type { Material } from "../src/api/types";
import { clock, materialSentence, newUpload, progressFraction, uploadSentence, uploadStep, withJob } from "../src/state/uploads";
import { markPassage } from "../src/text/passage";

const MATERIAL: Material = {
  id: "m", class_id: "c", title: "Book", kind: "textbook", status: "processing", error: null,
  page_count: 241, progress: { done: 57, total: 241, message: null }, job_id: "j", created_at: "",
};
const JOB = { job_id: "j", status: "running", done: 58, total: 241, message: "Reading page 58 of 241", error: null } as const;

describe("an upload", () => {
  it("goes from waiting to stored and says so", () => {
    let upload = newUpload("k", "book.pdf", 2_000_000);
    expect(uploadSentence(upload)).toBe("Waiting for its turn");
    upload = uploadStep(upload, { type: "start" });
    upload = uploadStep(upload, { type: "sent", bytes: 500_000, size: 2_000_000 });
    expect(uploadSentence(upload)).toBe("Sending, 25 % of 2.0 MB");
    upload = uploadStep(upload, { type: "stored", uploaded: { material_id: "m", job_id: "j", duplicate: true } });
    expect(upload).toMatchObject({ phase: "stored", materialId: "m" });
    expect(uploadSentence(upload)).toContain("already here");
  });

  it("can be stopped until it is stored", () => {
    const sending = uploadStep(newUpload("k", "a", 1), { type: "start" });
    expect(uploadStep(sending, { type: "cancelled" }).phase).toBe("cancelled");
    const stored = uploadStep(sending, { type: "stored", uploaded: { material_id: "m", job_id: null, duplicate: false } });
    expect(uploadStep(stored, { type: "cancelled" }).phase).toBe("stored");
  });

  it("ignores progress that comes after its end", () => {
    const failed = uploadStep(newUpload("k", "a", 9), { type: "failed", error: "Too large." });
    expect(uploadStep(failed, { type: "sent", bytes: 9, size: 9 })).toBe(failed);
    expect(uploadSentence(failed)).toBe("Too large.");
  });
});

describe("a material", () => {
  it("tells where its reading is", () => {
    expect(materialSentence(MATERIAL)).toBe("Page 57 of 241");
    expect(materialSentence(withJob(MATERIAL, JOB))).toBe("Reading page 58 of 241");
    expect(materialSentence({ ...MATERIAL, status: "searchable" })).toContain("You can ask already");
    expect(materialSentence({ ...MATERIAL, status: "ready" })).toBe("Ready, 241 pages");
  });

  it("says how much there is in the words of its kind", () => {
    const ready = { ...MATERIAL, status: "ready" } as const;
    expect(materialSentence({ ...ready, page_count: 1, segment_kind: "slide" })).toBe("Ready, 1 slide");
    expect(materialSentence({ ...ready, page_count: 9, segment_kind: "section" })).toBe("Ready, 9 parts");
    expect(materialSentence({ ...ready, page_count: 93, segment_kind: "span", duration_seconds: 5530 })).toBe("Ready, 1:32:10");
    expect(clock(750.9)).toBe("12:30");
  });

  it("shows the sentence of a failed job and leaves other materials alone", () => {
    const failed = withJob(MATERIAL, { ...JOB, status: "failed", error: "This PDF is locked." });
    expect(materialSentence(failed)).toBe("This PDF is locked.");
    expect(withJob(MATERIAL, { ...JOB, job_id: "other" })).toBe(MATERIAL);
  });

  it("has no fraction when nobody knows the total", () => {
    expect(progressFraction({ done: 3, total: null, message: null })).toBeNull();
    expect(progressFraction({ done: 300, total: 241, message: null })).toBe(1);
  });
});

describe("a passage in its text", () => {
  it("is counted in code points, as the server does", () => {
    expect(markPassage("𝒮𝒮 a passage here", 3, 12, "")).toEqual({ before: "𝒮𝒮 ", marked: "a passage", after: " here" });
  });

  it("is looked for when the range is empty or wrong", () => {
    expect(markPassage("before it after", 0, 0, "it").marked).toBe("it");
    expect(markPassage("short", 2, 99, "none")).toEqual({ before: "short", marked: "", after: "" });
  });
});

it("a problem document becomes its sentence, and anything else a general one", () => {
  expect(problemError(413, '{"title":"Too large","detail":"At most 200 MB."}').message).toBe("At most 200 MB.");
  expect(problemError(502, "<html>Bad gateway").message).toBe("The server answered with an error (502).");
  expect(problemError(500, '"text"').code).toBe("http_500");
  expect(sentenceOf(new TypeError("Failed to fetch"))).toContain("cannot be reached");
});
