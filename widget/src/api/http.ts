// One place that talks HTTP: problem documents become errors with a sentence, a 401 is refreshed once and retried.
import { parseJson } from "./sse";
import type { JobEvent, Registration, Session, Uploaded } from "./types";

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly registration: Registration | null = null,
  ) {
    super(message);
  }
}

const LOCK = "lyceum-refresh";
const UNREACHABLE = "Lyceum cannot be reached at the moment. Check that it is running, then try again.";

interface Problem {
  title?: string;
  detail?: string;
  code?: string;
  registration?: Registration;
}

/** The error a failed answer stands for; `detail` is the sentence meant for people. */
export function problemError(status: number, body: string): ApiError {
  const parsed = parseJson<Problem>(body);
  const problem: Problem = parsed !== null && typeof parsed === "object" ? parsed : {};
  const sentence =
    typeof problem.detail === "string" && problem.detail
      ? problem.detail
      : typeof problem.title === "string" && problem.title
        ? problem.title
        : `The server answered with an error (${status}).`;
  return new ApiError(sentence, status, problem.code ?? `http_${status}`, problem.registration ?? null);
}

export function sentenceOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof DOMException && error.name === "AbortError") return "Stopped.";
  if (error instanceof TypeError) return UNREACHABLE;
  return "Something went wrong on this page. Reload it and try again.";
}

export class Api {
  /** Called when a session is over and could not be refreshed. */
  onSignedOut: (registration: Registration | null) => void = () => undefined;
  private refreshing: Promise<boolean> | null = null;

  constructor(readonly base: URL) {}

  url(path: string): string {
    return new URL(path.replace(/^\//, ""), this.base).href;
  }

  /** A GET or POST that fails as ApiError (the server said no) or TypeError (nobody answered). */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    let response = await this.send(path, init);
    if (response.status === 401 && (await this.refresh())) response = await this.send(path, init);
    if (response.ok) return response;
    const error = problemError(response.status, await response.text());
    if (response.status === 401) this.onSignedOut(error.registration);
    throw error;
  }

  async tool<T>(name: string, args: Record<string, unknown>): Promise<T> {
    const response = await this.request(`/api/tools/${name}`, jsonPost(args));
    return (await response.json()) as T;
  }

  async session(): Promise<Session> {
    return (await (await this.request("/api/auth/session")).json()) as Session;
  }

  /** Login and registration: a 401 here means a wrong password, so nothing is refreshed. */
  async enter(action: "login" | "register", body: Record<string, string>): Promise<Session> {
    const response = await this.send(`/api/auth/${action}`, jsonPost(body));
    if (!response.ok) throw problemError(response.status, await response.text());
    return this.session();
  }

  async logout(): Promise<void> {
    await this.send("/api/auth/logout", { method: "POST" });
  }

  /** True when the session lives again. One refresh at a time, also over several tabs: the token rotates. */
  refresh(): Promise<boolean> {
    this.refreshing ??= this.refreshOnce().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async refreshOnce(): Promise<boolean> {
    const rotate = async (): Promise<boolean> => (await this.send("/api/auth/refresh", { method: "POST" })).ok;
    const locks = (navigator as Partial<Navigator>).locks;
    if (!locks) return rotate();
    const first = await locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? rotate() : null));
    if (first !== null) return first;
    // Another tab is rotating the token at this moment: wait, and use what it got.
    return locks.request(LOCK, async () => (await this.send("/api/auth/session")).ok || (await rotate()));
  }

  private send(path: string, init: RequestInit = {}): Promise<Response> {
    const credentials = this.base.origin === location.origin ? "same-origin" : "include";
    return fetch(this.url(path), { credentials, ...init });
  }

  /** Sends one file. `onProgress` gets bytes sent; the answer is that of POST /api/uploads. */
  async upload(
    file: File,
    classId: string,
    onProgress: (sent: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<Uploaded> {
    let { status, body } = await this.sendFile(file, classId, onProgress, signal);
    if (status === 401 && (await this.refresh())) {
      ({ status, body } = await this.sendFile(file, classId, onProgress, signal));
    }
    const uploaded = status >= 200 && status < 300 ? parseJson<Uploaded>(body) : null;
    if (uploaded) return uploaded;
    const error = problemError(status, body);
    if (status === 401) this.onSignedOut(error.registration);
    throw error;
  }

  /** XMLHttpRequest, because fetch still cannot tell how much of a body is sent. */
  private sendFile(
    file: File,
    classId: string,
    onProgress: (sent: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.url("/api/uploads"));
      request.withCredentials = this.base.origin !== location.origin;
      request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
      request.onload = () => resolve({ status: request.status, body: request.responseText });
      request.onerror = () => reject(new TypeError("the upload broke off"));
      request.onabort = () => reject(new DOMException("stopped", "AbortError"));
      if (signal.aborted) return reject(new DOMException("stopped", "AbortError"));
      signal.addEventListener("abort", () => request.abort(), { once: true });
      const form = new FormData();
      // The class goes first, so that a streaming server knows it before the bytes arrive.
      form.append("class_id", classId);
      form.append("file", file, file.name);
      request.send(form);
    });
  }
}

export function jsonPost(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

export function isFinalJob(event: JobEvent): boolean {
  return event.status === "succeeded" || event.status === "failed" || event.status === "cancelled";
}

/** A version 4 UUID. `crypto.randomUUID` is missing on plain-http addresses other than localhost. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
