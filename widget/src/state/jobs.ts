// Follows the jobs of unfinished material. Browsers allow six connections per server over HTTP/1.1, and the chat
// needs its own, so at most two jobs are streamed; the others are seen by reading the list again.
import { type Api, isFinalJob } from "../api/http";
import { parseJson, readEvents } from "../api/sse";
import type { JobEvent, Material } from "../api/types";

const MOST_STREAMS = 2;
const POLL_MS = 3000;

/** What a job tells, up to its end or the end of the connection. */
export async function* jobEvents(api: Api, jobId: string, signal: AbortSignal): AsyncGenerator<JobEvent> {
  const response = await api.request(`/api/jobs/${jobId}/events`, { signal });
  for await (const message of readEvents(response, signal)) {
    const event = parseJson<JobEvent>(message.data);
    if (!event || typeof event.status !== "string") continue;
    yield { ...event, job_id: jobId };
    if (isFinalJob(event)) return;
  }
}

interface Listeners {
  onEvent: (event: JobEvent) => void;
  /** Something was finished or time has passed: the list should be read again. */
  onChanged: () => void;
}

export class JobWatcher {
  private readonly streams = new Map<string, AbortController>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly api: Api,
    private readonly listeners: Listeners,
  ) {}

  /** Call with the unfinished materials of every fresh list. */
  watch(unfinished: readonly Material[]): void {
    const wanted = new Set(unfinished.flatMap((material) => material.job_id ?? []));
    for (const [id, stop] of this.streams) {
      if (!wanted.has(id)) {
        stop.abort();
        this.streams.delete(id);
      }
    }
    for (const id of wanted) {
      if (this.streams.size >= MOST_STREAMS) break;
      if (!this.streams.has(id)) void this.follow(id);
    }
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (unfinished.length > 0) this.tryLater();
  }

  tryLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.listeners.onChanged();
    }, POLL_MS);
  }

  stop(): void {
    this.watch([]);
  }

  private async follow(jobId: string): Promise<void> {
    const stop = new AbortController();
    this.streams.set(jobId, stop);
    let final = false;
    try {
      for await (const event of jobEvents(this.api, jobId, stop.signal)) {
        this.listeners.onEvent(event);
        final = isFinalJob(event);
      }
    } catch {
      // A broken stream is made up for by the next reading of the list, which opens it again.
    }
    if (this.streams.get(jobId) === stop) this.streams.delete(jobId);
    if (final && !stop.signal.aborted) this.listeners.onChanged();
  }
}
