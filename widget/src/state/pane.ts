// What is open over the chat, one thing at a time, and where the focus goes back to.
import { signal } from "@preact/signals";

export type PaneKind = "note" | "test" | "cards" | "document" | "connections";

export class PaneState {
  readonly kind = signal<PaneKind | null>(null);
  private opener: HTMLElement | null = null;

  show(kind: PaneKind, opener: HTMLElement | null = null): void {
    this.opener = opener ?? this.opener;
    this.kind.value = kind;
  }

  close(): void {
    this.kind.value = null;
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }
}
