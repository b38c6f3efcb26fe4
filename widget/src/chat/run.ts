// The events of one run, whole and in order, over as many connections as it takes: resume happens below the reader.
import { type Api, ApiError, jsonPost } from "../api/http";
import { parseJson, readEvents, type ServerEvent } from "../api/sse";
import type { AgUiEvent } from "./turn";

export interface RunRequest {
  threadId: string;
  runId: string;
  messages: { id: string; role: "user"; content: string }[];
  forwardedProps: Record<string, unknown>;
}

export interface RunOptions {
  signal: AbortSignal;
  /** Called with true while the connection is being restored. */
  onReconnecting?: (reconnecting: boolean) => void;
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const BACK_OFF_MS = [300, 700, 1500, 3000, 5000, 8000, 10000, 10000];
const FINAL = new Set(["RUN_FINISHED", "RUN_ERROR"]);

/** Starts a run and follows it to its final event. Throws ApiError when the server refuses it or has lost it. */
export function startRun(api: Api, request: RunRequest, options: RunOptions): AsyncGenerator<AgUiEvent> {
  const body = { state: {}, tools: [], context: [], ...request };
  return follow(api, request.runId, options, () =>
    api.request("/api/chat", { ...jsonPost(body), signal: options.signal, cache: "no-store" }),
  );
}

/** Follows a run that is already going, from its first event. */
export function attachRun(api: Api, runId: string, options: RunOptions): AsyncGenerator<AgUiEvent> {
  return follow(api, runId, options, () => openEvents(api, runId, null, options.signal));
}

export function cancelRun(api: Api, runId: string): Promise<Response> {
  return api.request(`/api/chat/runs/${runId}/cancel`, { method: "POST" });
}

function openEvents(api: Api, runId: string, lastId: string | null, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = lastId === null ? {} : { "Last-Event-ID": lastId };
  return api.request(`/api/chat/runs/${runId}/events`, { headers, signal, cache: "no-store" });
}

async function* follow(
  api: Api,
  runId: string,
  options: RunOptions,
  open: () => Promise<Response>,
): AsyncGenerator<AgUiEvent> {
  const seen = new SeenIds();
  let connect = open;
  let failures = 0;
  let answered = false;
  const wait = options.wait ?? sleep;
  for (;;) {
    try {
      const response = await connect();
      answered = true;
      options.onReconnecting?.(false);
      for await (const message of readEvents(response, options.signal)) {
        if (!seen.isNew(message)) continue;
        failures = 0;
        const event = parseJson<AgUiEvent>(message.data);
        if (event === null || typeof event !== "object" || typeof event.type !== "string") continue;
        yield event;
        if (FINAL.has(event.type)) return;
      }
    } catch (error) {
      if (options.signal.aborted) return;
      const refused = error instanceof ApiError && error.status < 500;
      // Nothing ever answered and the server does not know the run: the first request was lost, so it is sent again.
      const lost = refused && error.status === 404 && !answered && connect !== open;
      if ((refused && !lost) || failures >= BACK_OFF_MS.length) throw error;
      if (lost) {
        failures += 1;
        connect = open;
        continue;
      }
    }
    if (options.signal.aborted) return;
    if (failures >= BACK_OFF_MS.length) throw new TypeError("the run's events cannot be reached");
    options.onReconnecting?.(true);
    await wait(BACK_OFF_MS[failures] ?? 10000, options.signal);
    failures += 1;
    connect = () => openEvents(api, runId, seen.last, options.signal);
  }
}

/** Ids are `{run}:{n}` with n growing: what is at or below the last n was seen before. */
export class SeenIds {
  last: string | null = null;
  private lastNumber = -1;

  isNew(event: ServerEvent): boolean {
    if (event.id === null) return true;
    const number = Number(event.id.slice(event.id.lastIndexOf(":") + 1));
    if (Number.isFinite(number)) {
      if (number <= this.lastNumber) return false;
      this.lastNumber = number;
    } else if (event.id === this.last) {
      return false;
    }
    this.last = event.id;
    return true;
  }
}

/** Ends early when the network comes back, so that nobody waits for a long back-off then. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const awake = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", awake);
      signal.removeEventListener("abort", awake);
      resolve();
    };
    const timer = setTimeout(awake, ms);
    window.addEventListener("online", awake);
    signal.addEventListener("abort", awake);
  });
}
