// The page /connect: what a client asks for, what of it the person leaves ticked, and the way back to the client.
import { computed, signal } from "@preact/signals";
import type { ConsentRequest } from "../api/connections";
import { ApiError, jsonPost, sentenceOf } from "../api/http";
import { mayLeaveFor } from "../text/names";
import type { App } from "./app";

export type ConsentView =
  | { phase: "loading" }
  | { phase: "asked"; request: ConsentRequest }
  | { phase: "gone"; sentence: string }
  | { phase: "failed"; sentence: string }
  | { phase: "left"; request: ConsentRequest; allowed: boolean; address: string };

/** As the server makes them (base64url). Anything else is not worth a request. */
const ID = /^[\w-]{1,200}$/;
const UNSAFE = "The app asked to be answered at an address that this page does not open. Nothing was sent.";

export class ConsentState {
  readonly view = signal<ConsentView>({ phase: "loading" });
  readonly chosen = signal<ReadonlySet<string>>(new Set());
  readonly sending = signal(false);
  /** Why an answer did not arrive; the question still stands. */
  readonly error = signal<string | null>(null);
  readonly count = computed(() => this.chosen.value.size);

  constructor(
    private readonly app: App,
    private readonly id: string,
    private readonly leave: (address: string) => void = (address) => location.assign(address),
  ) {}

  private get path(): string {
    return `/api/oauth/requests/${encodeURIComponent(this.id)}`;
  }

  async load(): Promise<void> {
    if (this.view.value.phase === "left") return;
    this.view.value = { phase: "loading" };
    this.error.value = null;
    if (!ID.test(this.id)) {
      this.view.value = { phase: "gone", sentence: "This address names no request. Start again from the app that you want to connect." };
      return;
    }
    try {
      const request = (await (await this.app.api.request(this.path)).json()) as ConsentRequest;
      this.choose(request.scopes.map((one) => one.scope));
      this.view.value = { phase: "asked", request };
    } catch (error) {
      this.refused(error);
    }
  }

  choose(scopes: Iterable<string>): void {
    this.chosen.value = new Set(scopes);
  }

  toggle(scope: string): void {
    const chosen = new Set(this.chosen.value);
    if (!chosen.delete(scope)) chosen.add(scope);
    this.chosen.value = chosen;
  }

  async answer(allowed: boolean): Promise<void> {
    const view = this.view.value;
    if (view.phase !== "asked" || this.sending.value || (allowed && this.count.value === 0)) return;
    this.sending.value = true;
    this.error.value = null;
    try {
      const body = allowed ? { allowed, scopes: [...this.chosen.value] } : { allowed };
      const response = await this.app.api.request(this.path, jsonPost(body));
      const { redirect_to: address } = (await response.json()) as { redirect_to: string };
      if (!mayLeaveFor(address)) {
        this.view.value = { phase: "failed", sentence: UNSAFE };
      } else {
        this.view.value = { phase: "left", request: view.request, allowed, address };
        this.leave(address);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.refused(error);
      else if (!(error instanceof ApiError && error.status === 401)) this.error.value = sentenceOf(error);
    } finally {
      this.sending.value = false;
    }
  }

  private refused(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) return;
    const gone = error instanceof ApiError && error.status < 500;
    this.view.value = { phase: gone ? "gone" : "failed", sentence: sentenceOf(error) };
  }
}
