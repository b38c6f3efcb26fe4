import { describe, expect, it } from "vitest";
import { activityLine, type AgUiEvent, applyEvent, newTurn, turnText } from "../src/chat/turn";

const CITATION = { number: 1, passage_id: "p", label: "page 57", quote: "q", locator: { material_id: "m" } };
const play = (...events: AgUiEvent[]) => events.reduce(applyEvent, newTurn("r"));
const content = (delta: string, messageId = "m") => ({ type: "TEXT_MESSAGE_CONTENT", messageId, delta });

describe("a turn", () => {
  it("gathers text, tools and citations of a whole run", () => {
    const turn = play(
      { type: "RUN_STARTED", runId: "r" },
      { type: "TOOL_CALL_START", toolCallId: "t", toolCallName: "search_materials" },
      { type: "TOOL_CALL_ARGS", toolCallId: "t", delta: '{"query": "st' },
      { type: "TOOL_CALL_END", toolCallId: "t" },
      { type: "TOOL_CALL_RESULT", toolCallId: "t", content: "{" },
      { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
      content("Backward "),
      content("Euler [1]"),
      { type: "TEXT_MESSAGE_END", messageId: "m" },
      { type: "CUSTOM", name: "citations", value: { messageId: "m", citations: [CITATION] } },
      { type: "RUN_FINISHED", outcome: { type: "success" } },
    );
    expect(turnText(turn)).toBe("Backward Euler [1]");
    expect(turn.citations.map((one) => one.number)).toEqual([1]);
    expect(turn.tools).toEqual([{ id: "t", name: "search_materials", done: true }]);
    expect(turn.status).toBe("complete");
  });

  it("reads several messages of one run as one answer", () => {
    expect(turnText(play(content("One.", "a"), content("Two.", "b"), content(" More.", "a")))).toBe("One. More.\n\nTwo.");
  });

  it("says in one line what is being done", () => {
    const start = newTurn("r");
    expect(activityLine(start)).toBe("Thinking…");
    const searching = applyEvent(start, { type: "TOOL_CALL_START", toolCallId: "t", toolCallName: "search_materials" });
    expect(activityLine(searching)).toBe("Searching your material…");
    const told = applyEvent(searching, { type: "CUSTOM", name: "progress", value: { message: "Reading page 3 of 9" } });
    expect(activityLine(told)).toBe("Reading page 3 of 9");
    const found = applyEvent(told, { type: "TOOL_CALL_RESULT", toolCallId: "t" });
    expect(activityLine(applyEvent(found, content("Yes")))).toBeNull();
  });

  it("tells success, stopping and failing apart", () => {
    expect(play({ type: "RUN_FINISHED" }).status).toBe("complete");
    expect(play({ type: "RUN_FINISHED", outcome: { type: "cancelled" } }).status).toBe("cancelled");
    expect(play({ type: "RUN_ERROR", message: "No model.", code: "x" })).toMatchObject({ status: "failed", error: "No model." });
    expect(play({ type: "RUN_ERROR", message: "Restarted.", code: "interrupted" }).status).toBe("interrupted");
  });

  it("ignores what it does not know and survives malformed events", () => {
    const before = play(content("kept"));
    const odd: AgUiEvent[] = [
      { type: "NEW_EVENT", anything: 1 },
      { type: "CUSTOM" },
      { type: "CUSTOM", name: "citations", value: { citations: [null, 3, { number: "x" }] } },
      { type: "CUSTOM", name: "citations", value: null },
      { type: "TOOL_CALL_RESULT" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: 7 },
    ];
    const after = odd.reduce(applyEvent, before);
    expect(turnText(after)).toBe("kept");
    expect(after.citations).toEqual([]);
  });

  it("takes nothing after its final event", () => {
    expect(turnText(play(content("end"), { type: "RUN_FINISHED" }, content(" more")))).toBe("end");
  });
});
