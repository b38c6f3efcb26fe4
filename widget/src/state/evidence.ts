// The evidence panel: the passage an answer stands on, and leafing through the pages around it.
import { signal } from "@preact/signals";
import { sentenceOf } from "../api/http";
import type { Citation, Passage, Place } from "../api/types";
import type { App } from "./app";

export interface EvidenceView {
  /** Null when the panel was opened on a material, not on a citation. */
  citation: Citation | null;
  passage: Passage | null;
  /** False while leafing: the highlight belongs to the cited page only. */
  atCitation: boolean;
  loading: boolean;
  error: string | null;
}

export class EvidenceState {
  readonly view = signal<EvidenceView | null>(null);
  /** Page images larger than the panel, for small print. Kept while leafing and from source to source. */
  readonly zoomed = signal(false);
  private request = 0;
  private opener: HTMLElement | null = null;

  constructor(private readonly app: App) {}

  openCitation(citation: Citation, opener: HTMLElement | null = null): Promise<void> {
    this.opener = opener ?? this.opener;
    this.view.value = { citation, passage: null, atCitation: true, loading: true, error: null };
    return this.load({ passage_id: citation.passage_id }, true);
  }

  openMaterial(materialId: string, opener: HTMLElement | null): Promise<void> {
    this.opener = opener;
    this.view.value = { citation: null, passage: null, atCitation: false, loading: true, error: null };
    return this.load({ material_id: materialId, page: 1 }, false);
  }

  leaf(place: Place): Promise<void> {
    const args = Object.fromEntries(Object.entries(place).filter(([, value]) => value !== null));
    return this.load(args, false);
  }

  backToCitation(): Promise<void> {
    const citation = this.view.value?.citation;
    return citation ? this.load({ passage_id: citation.passage_id }, true) : Promise.resolve();
  }

  close(): void {
    if (!this.view.value) return;
    this.request += 1;
    this.view.value = null;
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  private async load(args: Record<string, unknown>, atCitation: boolean): Promise<void> {
    const request = ++this.request;
    const before = this.view.value;
    if (before) this.view.value = { ...before, loading: true, error: null };
    try {
      const passage = await this.app.api.tool<Passage>("open_passage", args);
      this.update(request, { passage, atCitation, loading: false });
    } catch (error) {
      this.update(request, { loading: false, error: sentenceOf(error) });
    }
  }

  private update(request: number, change: Partial<EvidenceView>): void {
    const view = this.view.value;
    if (view && request === this.request) this.view.value = { ...view, ...change };
  }
}
