import { describe, expect, it } from "vitest";
import { ApiError } from "../src/api/http";
import type { ConsentRequest } from "../src/api/connections";
import type { App } from "../src/state/app";
import { ConsentState } from "../src/state/consent";
import { clientsFor, reach } from "../src/text/clients";
import { expiry, lastUse } from "../src/text/dates";
import { destination, hostOf, isThisComputer, mayLeaveFor, plainName } from "../src/text/names";
import { grouped, summary } from "../src/text/permissions";

describe("a name that a stranger chose", () => {
  it.each([
    ["Claude", "Claude"],
    ["  a\n\tb\u0000c  ", "a b c"],
    ["Claude\u202egpj.exe", "Claudegpj.exe"],
    ["\u2066Claude\u2069\u200f", "Claude"],
    ["Cl\u200baude\u00ad", "Claude"],
    ["\u3164\u115f \u2800", "An app without a name"],
    ["Z\u0335\u0336\u0337\u0338\u0339x", "Z\u0335\u0336\u0337x"],
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["ישראל", "ישראל"],
  ])("%j reads %j", (given, shown) => {
    expect(plainName(given)).toBe(shown);
  });

  it("is cut at 80 characters, and not within one", () => {
    const long = plainName("🎓".repeat(500));
    expect([...long]).toHaveLength(80);
    expect(long).toMatch(/^(🎓){79}…$/u);
  });
});

describe("an address", () => {
  it("shows foreign letters as the address bar does", () => {
    expect(hostOf("https://cl\u0430ude.ai/client.json")).toMatch(/^xn--[a-z0-9-]+\.ai$/);
    expect(hostOf("not an address")).toBeNull();
  });

  it("is of this computer only when it is a loopback", () => {
    expect(["localhost", "127.0.0.1", "127.0.0.1:8123", "[::1]:9"].every(isThisComputer)).toBe(true);
    expect(["localhost.example", "127.0.0.1.example.org", "10.0.0.1", ""].some(isThisComputer)).toBe(false);
  });

  it("says where an answer goes", () => {
    expect(destination("this computer")).toEqual({ kind: "here" });
    expect(destination("cursor:")).toEqual({ kind: "scheme", name: "cursor:" });
    expect(destination("claude.ai")).toEqual({ kind: "host", name: "claude.ai" });
    expect(destination("evil.example\u202e")).toEqual({ kind: "host", name: "evil.example" });
  });

  it.each([
    ["https://claude.ai/callback?code=1", true],
    ["http://127.0.0.1:9/callback?code=1", true],
    ["cursor://anysphere.cursor-mcp/oauth?code=1", true],
    ["javascript:alert(document.cookie)", false],
    ["JavaScript:alert(1)", false],
    ["java\nscript:alert(1)", false],
    ["data:text/html,<script>", false],
    ["blob:https://x/1", false],
    ["/relative", false],
  ])("%s may be left for: %s", (address, may) => {
    expect(mayLeaveFor(address)).toBe(may);
  });

  it("tells who can reach it", () => {
    expect(reach("http://127.0.0.1:8000/mcp")).toBe("this computer");
    expect(reach("http://192.168.1.4:8000/mcp")).toBe("this network");
    expect(reach("https://lyceum.example.org/mcp")).toBe("internet");
    expect(reach("http://lyceum.example.org/mcp")).toBe("this network");
  });
});

describe("permissions in words", () => {
  it("are grouped by toolset, reading first", () => {
    const groups = grouped([{ scope: "notes:write" }, { scope: "search:read" }, { scope: "notes:read" }]);
    expect(groups.map((one) => [one.name, one.items.map((item) => item.scope)])).toEqual([
      ["Notes", ["notes:read", "notes:write"]],
      ["Search", ["search:read"]],
    ]);
    expect(grouped([{ scope: "constructor:read" }, { scope: "new_thing:read" }]).map((one) => one.name)).toEqual(["Constructor", "New thing"]);
  });

  it.each([
    [["*"], "Read and change everything"],
    [["*:read"], "Read everything"],
    [["*:read", "notes:write"], "Read everything. Change notes"],
    [["search:read", "flashcards:write", "flashcards:read"], "Read flashcards, search. Change flashcards"],
    [[], "Nothing"],
  ])("%j is %s", (scopes, words) => {
    expect(summary(scopes)).toBe(words);
  });

  it("have dates that say today and tomorrow", () => {
    const now = new Date(2026, 10, 22, 15);
    const at = (days: number): string => new Date(2026, 10, 22 + days, 16).toISOString();
    expect([lastUse(null, now), lastUse(at(0), now), lastUse(at(-1), now)]).toEqual(["Never used", "Last used today", "Last used yesterday"]);
    expect(lastUse(at(-9), now)).toContain("2026");
    expect([expiry(null, now), expiry(at(0), now), expiry(at(1), now), expiry(at(-1), now)]).toEqual([
      "Works until you revoke it", "Expires today", "Expires tomorrow", "Expired",
    ]);
  });
});

describe("what clients are told", () => {
  it("holds the address, and valid JSON where it is JSON", () => {
    const address = "https://lyceum.example.org/mcp";
    for (const client of clientsFor(address)) {
      const snippets = client.steps.flatMap((step) => step.copy ?? []);
      expect(snippets.join("\n")).toContain(address);
      for (const one of snippets.filter((text) => text.startsWith("{"))) expect(JSON.parse(one)).toBeTypeOf("object");
    }
  });
});

const REQUEST: ConsentRequest = {
  client_name: "Editor", client_id: "c", client_uri: null, redirect_host: "127.0.0.1", registration: "dynamic",
  resource: "http://localhost/mcp", expires_at: "",
  scopes: [
    { scope: "notes:read", title: "See your notes", is_write: false },
    { scope: "notes:write", title: "Write notes", is_write: true },
  ],
};

/** The page over a server that gives these answers, one after the other. */
const ID = "PFw0o3y_1-X1lYy8";
const PATH = `/api/oauth/requests/${ID}`;

async function asked(...answers: (object | ApiError)[]) {
  const sent: unknown[] = [];
  const left: string[] = [];
  const queue = [REQUEST, ...answers];
  const request = (path: string, init?: RequestInit): Promise<Response> => {
    sent.push(init ? [path, JSON.parse(String(init.body))] : path);
    const answer = queue.shift();
    return answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(new Response(JSON.stringify(answer)));
  };
  const consent = new ConsentState({ api: { request } } as unknown as App, ID, (address) => left.push(address));
  await consent.load();
  return { consent, sent, left };
}

describe("the page that asks", () => {
  it("sends what is left ticked, and goes where the server says", async () => {
    const { consent, sent, left } = await asked({ redirect_to: "http://127.0.0.1:5/cb?code=1" });
    expect([...consent.chosen.value]).toEqual(["notes:read", "notes:write"]);
    consent.toggle("notes:write");
    await consent.answer(true);
    expect(sent).toEqual([PATH, [PATH, { allowed: true, scopes: ["notes:read"] }]]);
    expect(left).toEqual(["http://127.0.0.1:5/cb?code=1"]);
    expect(consent.view.value.phase).toBe("left");
  });

  it("does not send an empty yes, nor two answers", async () => {
    const { consent, sent } = await asked({ redirect_to: "https://x.example/" });
    consent.choose([]);
    await consent.answer(true);
    expect(sent).toHaveLength(1);
    await Promise.all([consent.answer(false), consent.answer(false)]);
    await consent.answer(true);
    expect(sent.slice(1)).toEqual([[PATH, { allowed: false }]]);
  });

  it.each(["", "../auth/session", "a".repeat(300)])("asks nobody about %j", async (id) => {
    const api = { request: () => Promise.reject(new Error("asked")) };
    const consent = new ConsentState({ api } as unknown as App, id);
    await consent.load();
    expect(consent.view.value.phase).toBe("gone");
  });

  it("never leaves for an address that would run here", async () => {
    const { consent, left } = await asked({ redirect_to: "javascript:alert(1)" });
    await consent.answer(true);
    expect(left).toEqual([]);
    expect(consent.view.value.phase).toBe("failed");
  });

  it("keeps the question when an answer did not arrive, and ends with a request that is gone", async () => {
    const gone = new ApiError("This request is unknown or too old.", 404, "request_not_found");
    const { consent } = await asked(new ApiError("Try again.", 503, "unavailable"), gone);
    await consent.answer(true);
    expect(consent.view.value.phase).toBe("asked");
    expect(consent.error.value).toBe("Try again.");
    await consent.answer(true);
    expect(consent.view.value).toEqual({ phase: "gone", sentence: "This request is unknown or too old." });
  });
});
