// Follows jobs that make things, two at a time: browsers allow few connections per server, and the chat needs its own.
import type { Api } from "../api/http";
import type { JobEvent } from "../api/types";
import { jobEvents } from "./jobs";

const AT_ONCE = 2;

interface Followed {
  jobId: string;
  onEvent: (event: JobEvent) => void;
  /** The job or its stream is over: what it made should be read again. */
  onEnd: () => void;
  stop: AbortController;
}

export class Following {
  private waiting: Followed[] = [];
  private readonly running = new Map<string, Followed>();

  constructor(private readonly api: Api) {}

  follow(jobId: string, onEvent: (event: JobEvent) => void, onEnd: () => void): void {
    if (this.running.has(jobId) || this.waiting.some((one) => one.jobId === jobId)) return;
    this.waiting.push({ jobId, onEvent, onEnd, stop: new AbortController() });
    this.next();
  }

  clear(): void {
    this.waiting = [];
    for (const one of this.running.values()) one.stop.abort();
    this.running.clear();
  }

  private next(): void {
    while (this.running.size < AT_ONCE) {
      const one = this.waiting.shift();
      if (!one) return;
      this.running.set(one.jobId, one);
      void this.read(one);
    }
  }

  private async read(one: Followed): Promise<void> {
    try {
      for await (const event of jobEvents(this.api, one.jobId, one.stop.signal)) one.onEvent(event);
    } catch {
      // Seen when the list is read the next time.
    }
    if (one.stop.signal.aborted) return;
    this.running.delete(one.jobId);
    this.next();
    one.onEnd();
  }
}
