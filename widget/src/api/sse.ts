// Server-sent events by the letter of the HTML standard (§9.2.6), fed in chunks of any size.

export interface ServerEvent {
  /** The last id seen so far, as the standard wants it: it persists over events without one. */
  id: string | null;
  type: string;
  data: string;
}

/** Push decoded text in; whole events come out. LF, CR and CRLF all end a line, also when split between chunks. */
export class SseParser {
  private rest = "";
  private data: string[] = [];
  private type = "";
  private lastId: string | null = null;
  private skipLineFeed = false;
  private first = true;

  push(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    let text = chunk;
    if (this.first && text.length > 0) {
      this.first = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    if (this.skipLineFeed && text.length > 0) {
      this.skipLineFeed = false;
      if (text.startsWith("\n")) text = text.slice(1);
    }
    this.rest += text;
    let start = 0;
    for (;;) {
      const end = nextLineEnd(this.rest, start);
      if (end < 0) break;
      this.line(this.rest.slice(start, end), events);
      start = end + 1;
      if (this.rest[end] === "\r") {
        if (start === this.rest.length) this.skipLineFeed = true;
        else if (this.rest[start] === "\n") start += 1;
      }
    }
    this.rest = this.rest.slice(start);
    return events;
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === "") {
      if (this.data.length > 0) {
        events.push({ id: this.lastId, type: this.type || "message", data: this.data.join("\n") });
      }
      this.data = [];
      this.type = "";
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") this.data.push(value);
    else if (field === "event") this.type = value;
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
  }
}

function nextLineEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || code === 13) return i;
  }
  return -1;
}

/** A connection that said nothing for this long is dead: the server pings every 15 s. */
const SILENCE_MS = 45_000;

/** Reads a response's events until it ends. Throws when the connection breaks or falls silent. */
export async function* readEvents(response: Response, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read());
      if (signal?.aborted) return;
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function withinSilence<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TypeError("the stream fell silent")), SILENCE_MS);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** JSON of one event, or null: a cut or foreign payload is skipped, never thrown. */
export function parseJson<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
