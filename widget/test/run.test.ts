import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Api, ApiError } from "../src/api/http";
import { attachRun, SeenIds, startRun } from "../src/chat/run";
import type { AgUiEvent } from "../src/chat/turn";

type Script = (request: IncomingMessage, response: ServerResponse, call: number) => void;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(script: Script): Promise<{ api: Api; calls: string[] }> {
  const calls: string[] = [];
  server = createServer((request, response) => {
    // The test page and this server differ in origin.
    response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Allow-Headers", "content-type,last-event-id");
    if (request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    calls.push(`${request.method} ${request.url} ${request.headers["last-event-id"] ?? "-"}`);
    request.resume();
    script(request, response, calls.length);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { api: new Api(new URL(`http://127.0.0.1:${port}/`)), calls };
}

const event = (n: number, value: object): string => `id: r:${n}\ndata: ${JSON.stringify(value)}\n\n`;
const request = { threadId: "c", runId: "r", messages: [], forwardedProps: {} };
const options = () => ({ signal: new AbortController().signal, wait: () => Promise.resolve() });

async function all(events: AsyncGenerator<AgUiEvent>): Promise<string[]> {
  const types = [];
  for await (const one of events) types.push(one.type);
  return types;
}

describe("following a run", () => {
  it("resumes after the last event it saw and doubles none", async () => {
    const { api, calls } = await serve((_request, response, call) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      if (call === 1) {
        response.write(event(1, { type: "RUN_STARTED" }) + event(2, { type: "A" }) + 'id: r:3\ndata: {"ty', () => response.destroy());
        return;
      }
      response.end(event(2, { type: "A" }) + event(3, { type: "B" }) + event(4, { type: "RUN_FINISHED" }));
    });
    expect(await all(startRun(api, request, options()))).toEqual(["RUN_STARTED", "A", "B", "RUN_FINISHED"]);
    expect(calls).toEqual(["POST /api/chat -", "GET /api/chat/runs/r/events r:2"]);
  });

  it("attaches to a running run from its first event", async () => {
    const { api, calls } = await serve((_request, response) => {
      response.end(event(1, { type: "RUN_STARTED" }) + event(2, { type: "RUN_FINISHED" }));
    });
    expect(await all(attachRun(api, "r", options()))).toEqual(["RUN_STARTED", "RUN_FINISHED"]);
    expect(calls).toEqual(["GET /api/chat/runs/r/events -"]);
  });

  it("sends the question again when the first request never arrived", async () => {
    const { api, calls } = await serve((incoming, response, call) => {
      if (call === 1) return void incoming.socket.destroy();
      if (call === 2) return void response.writeHead(404).end("{}");
      response.end(event(1, { type: "RUN_FINISHED" }));
    });
    expect(await all(startRun(api, request, options()))).toEqual(["RUN_FINISHED"]);
    expect(calls.map((call) => call.split(" ")[0])).toEqual(["POST", "GET", "POST"]);
  });

  it("gives the server's sentence when the run is refused", async () => {
    const { api } = await serve((_request, response) => {
      response.writeHead(429, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify({ title: "Too many", detail: "Wait a minute.", code: "rate_limited" }));
    });
    const failure = await all(startRun(api, request, options())).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ message: "Wait a minute.", status: 429, code: "rate_limited" });
  });

  it("gives up after its last back-off when nobody answers", async () => {
    const { api, calls } = await serve((incoming) => void incoming.socket.destroy());
    await expect(all(startRun(api, request, options()))).rejects.toThrow();
    expect(calls.length).toBeGreaterThan(5);
  });

  it("refreshes the session once after a 401 and repeats the call", async () => {
    let signedIn = false;
    const { api, calls } = await serve((incoming, response) => {
      if (incoming.url === "/api/auth/refresh") signedIn = true;
      response.writeHead(signedIn ? 200 : 401, { "Content-Type": "application/json" }).end('{"items":[]}');
    });
    await Promise.all([api.tool("list_classes", {}), api.tool("list_classes", {})]);
    expect(calls.filter((call) => call.includes("refresh"))).toHaveLength(1);
  });
});

it("ids at or below the last number were seen", () => {
  const seen = new SeenIds();
  const ids = ["r:1", "r:2", "r:2", "r:1", "r:10", "r:9"];
  expect(ids.filter((id) => seen.isNew({ id, type: "message", data: "" }))).toEqual(["r:1", "r:2", "r:10"]);
});
