// The evidence panel: the passage an answer stands on, and leafing through the pages around it.
import { signal } from "@preact/signals";
import { ApiError, sentenceOf } from "../api/http";
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
    return this.loadCited(citation);
  }

  openMaterial(materialId: string, opener: HTMLElement | null, page = 1): Promise<void> {
    this.opener = opener;
    this.view.value = { citation: null, passage: null, atCitation: false, loading: true, error: null };
    return this.load({ material_id: materialId, page }, false);
  }

  leaf(place: Place): Promise<void> {
    const args = Object.fromEntries(Object.entries(place).filter(([, value]) => value !== null));
    return this.load(args, false);
  }

  backToCitation(): Promise<void> {
    const citation = this.view.value?.citation;
    return citation ? this.loadCited(citation) : Promise.resolve();
  }

  close(): void {
    if (!this.view.value) return;
    this.request += 1;
    this.view.value = null;
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  private loadCited(citation: Citation): Promise<void> {
    return this.load(citation.passage_id ? { passage_id: citation.passage_id } : placeOf(citation), true, citation);
  }

  private async load(args: Record<string, unknown>, atCitation: boolean, cited?: Citation): Promise<void> {
    const request = ++this.request;
    const before = this.view.value;
    if (before) this.view.value = { ...before, loading: true, error: null };
    try {
      const passage = await this.app.api.tool<Passage>("open_passage", args);
      // A citation may span chunks that follow each other; the passage of its id is only the best of them.
      const place = cited && { locator: cited.locator, text: "passage_id" in args ? passage.text : cited.quote };
      this.update(request, {
        passage: { ...passage, ...place },
        atCitation,
        loading: false,
      });
    } catch (error) {
      const isGone = error instanceof ApiError && error.code === "passage_not_found";
      if (isGone && cited && request === this.request) return this.load(placeOf(cited), atCitation, cited);
      this.update(request, { loading: false, error: sentenceOf(error) });
    }
  }

  private update(request: number, change: Partial<EvidenceView>): void {
    const view = this.view.value;
    if (view && request === this.request) this.view.value = { ...view, ...change };
  }
}

/** Where a citation stands, for the case that its passage is gone. */
function placeOf({ locator }: Citation): Record<string, unknown> {
  return { material_id: locator.material_id, page: locator.segment + 1 };
}
