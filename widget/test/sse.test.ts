import { describe, expect, it } from "vitest";
import { parseJson, readEvents, SseParser } from "../src/api/sse";

const STREAM = "\uFEFF: ping\nid: r:1\ndata: {\"a\":1}\n\nevent: x\ndata: one\ndata: two\n\ndata\n\nid: r:2\ndata:π 𝛼\n\n";
const EXPECTED = [
  { id: "r:1", type: "message", data: '{"a":1}' },
  { id: "r:1", type: "x", data: "one\ntwo" },
  { id: "r:1", type: "message", data: "" },
  { id: "r:2", type: "message", data: "π 𝛼" },
];

describe("the parser of server-sent events", () => {
  for (const [name, end] of [["LF", "\n"], ["CRLF", "\r\n"], ["CR", "\r"]] as const) {
    const stream = STREAM.replaceAll("\n", end);

    it(`reads a whole stream with ${name} line ends`, () => {
      expect(new SseParser().push(stream)).toEqual(EXPECTED);
    });

    it(`reads the same stream cut at every place, with ${name} line ends`, () => {
      for (let cut = 0; cut <= stream.length; cut++) {
        const parser = new SseParser();
        expect([...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))]).toEqual(EXPECTED);
      }
      const parser = new SseParser();
      expect([...stream].flatMap((character) => parser.push(character))).toEqual(EXPECTED);
    });
  }

  it("keeps an unfinished event back", () => {
    expect(new SseParser().push("data: half\n")).toEqual([]);
  });

  it("joins characters whose bytes were split between chunks", async () => {
    const bytes = new TextEncoder().encode("data: π𝛼\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const events = [];
    for await (const event of readEvents(new Response(body))) events.push(event.data);
    expect(events).toEqual(["π𝛼"]);
  });

  it("answers null for cut JSON", () => {
    expect(parseJson('{"query": "stab')).toBeNull();
  });
});
