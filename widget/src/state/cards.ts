// Cards: decks with what is due, the open deck, and the review that is going on.
import { signal } from "@preact/signals";
import {
  type DeckDetails,
  type DeckItem,
  type DeckList,
  type DueCard,
  type DueCards,
  type DueCounts,
  dueNow,
  type Rating,
  type Reviewed,
} from "../api/study";
import { isFinalJob } from "../api/http";
import type { Page } from "../api/types";
import type { App } from "./app";
import { jobEvents } from "./jobs";
import { MadeList } from "./made";

export interface Review {
  deckId: string | null;
  card: DueCard | null;
  due: DueCounts;
  /** What is said when nothing is left. */
  message: string;
  revealed: boolean;
  /** Of a multiple-choice card: what was chosen. */
  chosen: string | null;
  shownAt: number;
  /** Reviews of this sitting, so that there is something to undo. */
  done: number;
  busy: boolean;
}

export type CardsView = { state: "deck"; deck: DeckDetails } | { state: "review"; review: Review };

const NOTHING: DueCounts = { new: 0, learning: 0, review: 0, learning_later: 0 };

export class CardsState {
  readonly list: MadeList<DeckItem>;
  readonly due = signal<DueCounts>(NOTHING);
  readonly view = signal<CardsView | null>(null);

  constructor(private readonly app: App) {
    this.list = new MadeList<DeckItem>(
      app,
      "list_decks",
      (deck) => {
        app.notice.value = {
          text: `“${deck.title}” is ready: ${deck.card_count} cards.`,
          action: { label: "Open", run: () => void this.open(deck.id) },
        };
      },
      (page: Page<DeckItem>) => (this.due.value = (page as DeckList).due),
    );
  }

  clear(): void {
    this.list.clear();
    this.due.value = NOTHING;
    this.view.value = null;
  }

  async make(args: Record<string, unknown>): Promise<boolean> {
    const started = await this.app.try(() => this.app.api.tool<{ message: string }>("generate_flashcards", args));
    if (!started) return false;
    this.app.notice.value = { text: started.message };
    await this.list.load();
    return true;
  }

  async open(id: string, opener: HTMLElement | null = null): Promise<void> {
    const deck = await this.app.try(() => this.app.api.tool<DeckDetails>("get_deck", { deck_id: id, limit: 50 }));
    if (!deck) return;
    this.view.value = { state: "deck", deck };
    this.app.pane.show("cards", opener);
  }

  async moreCards(): Promise<void> {
    const view = this.view.value;
    if (view?.state !== "deck" || !view.deck.next_cursor) return;
    const args = { deck_id: view.deck.id, limit: 50, cursor: view.deck.next_cursor };
    const more = await this.app.try(() => this.app.api.tool<DeckDetails>("get_deck", args));
    if (!more) return;
    const deck = { ...view.deck, items: [...view.deck.items, ...more.items], next_cursor: more.next_cursor };
    this.view.value = { state: "deck", deck };
  }

  /** Of one deck, or of all decks of the class. */
  async study(deckId: string | null, opener: HTMLElement | null = null): Promise<void> {
    const found = await this.app.try(() => this.app.api.tool<DueCards>("get_due_cards", { ...this.scope(deckId), limit: 1 }));
    if (!found) return;
    const card = found.items[0] ?? null;
    const review = { deckId, due: found.due, message: found.message, done: 0 };
    this.view.value = { state: "review", review: { ...review, ...fresh(card) } };
    this.app.pane.show("cards", opener);
  }

  reveal(chosen: string | null = null): void {
    this.update({ revealed: true, chosen });
  }

  async rate(rating: Rating): Promise<void> {
    const review = this.reviewing();
    if (!review?.card || !review.revealed || review.busy) return;
    this.update({ busy: true });
    const args = {
      card_id: review.card.id,
      rating,
      review_token: review.card.review_token,
      duration_ms: Math.min(86_400_000, Math.round(performance.now() - review.shownAt)),
      ...this.scope(review.deckId),
    };
    const reviewed = await this.app.try(() => this.app.api.tool<Reviewed>("review_card", args));
    if (!reviewed) return this.update({ busy: false });
    if (reviewed.is_leech && !review.card.is_leech) this.app.notice.value = { text: reviewed.message };
    this.show(reviewed.next_card, reviewed.due, reviewed.message, +1);
  }

  async undo(): Promise<void> {
    const undone = await this.app.try(() =>
      this.app.api.tool<{ card: DueCard; due: DueCounts; message: string }>("undo_review", {}),
    );
    if (undone) this.show(undone.card, undone.due, undone.message, -1);
  }

  /** Not today, or not at all until it is taken back. */
  async putAside(how: "buried" | "suspended"): Promise<void> {
    const review = this.reviewing();
    if (!review?.card) return;
    const args = { card_id: review.card.id, [how]: true };
    const done = await this.app.try(() => this.app.api.tool("update_flashcard", args));
    if (done !== undefined) await this.study(review.deckId);
  }

  async rateItem(rating: number): Promise<void> {
    const review = this.reviewing();
    if (!review?.card) return;
    const args = { card_id: review.card.id, rating };
    const rated = await this.app.try(() => this.app.api.tool<{ retired: boolean }>("rate_item", args));
    if (!rated) return;
    this.app.notice.value = { text: rated.retired ? "Thank you. It will not be asked again." : "Thank you." };
    if (rated.retired) await this.study(review.deckId);
  }

  async importFile(file: File): Promise<void> {
    const classId = this.app.library.classId.value;
    this.app.notice.value = { text: `Reading ${file.name}…` };
    const args = { filename: file.name, content_base64: await base64(file), ...(classId ? { class_id: classId } : {}) };
    const started = await this.app.try(() => this.app.api.tool<{ job_id: string }>("import_deck", args));
    if (!started) return;
    await this.wait(started.job_id, (message) => (this.app.notice.value = { text: message }));
    await this.list.load();
  }

  async exportDeck(deck: DeckItem, format: string): Promise<void> {
    const args = { deck_id: deck.id, format };
    const started = await this.app.try(() =>
      this.app.api.tool<{ job_id: string; download_url: string }>("export_deck", args),
    );
    if (!started) return;
    this.app.notice.value = { text: `“${deck.title}” is being packed.` };
    const done = await this.wait(started.job_id, (message) => (this.app.notice.value = { text: message }));
    if (done) this.app.download(started.download_url);
  }

  async remove(deck: DeckItem): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_deck", { deck_id: deck.id }));
    if (done === undefined) return;
    this.app.pane.close();
    this.app.offerUndo(deck.title, deck.id, () => this.list.load());
    await this.list.load();
  }

  private scope(deckId: string | null): Record<string, unknown> {
    const classId = this.app.library.classId.value;
    return deckId ? { deck_id: deckId } : classId ? { class_id: classId } : {};
  }

  private reviewing(): Review | null {
    return this.view.value?.state === "review" ? this.view.value.review : null;
  }

  private update(change: Partial<Review>): void {
    const review = this.reviewing();
    if (review) this.view.value = { state: "review", review: { ...review, ...change } };
  }

  private show(card: DueCard | null, due: DueCounts, message: string, done: number): void {
    const review = this.reviewing();
    if (!review) return;
    this.update({ ...fresh(card), due, message, done: Math.max(0, review.done + done) });
    if (dueNow(due) === 0 || !card) void this.list.load();
  }

  /** Until the job has ended; its error or last message is told. True when it succeeded. */
  private async wait(jobId: string, tell: (message: string) => void): Promise<boolean> {
    try {
      for await (const event of jobEvents(this.app.api, jobId, new AbortController().signal)) {
        const message = event.error ?? event.message;
        if (message) tell(message);
        if (isFinalJob(event)) return event.status === "succeeded";
      }
    } catch {
      tell("The connection broke; the work goes on. Look again in a moment.");
    }
    return false;
  }
}

function fresh(card: DueCard | null): Pick<Review, "card" | "revealed" | "chosen" | "shownAt" | "busy"> {
  return { card, revealed: false, chosen: null, shownAt: performance.now(), busy: false };
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(new TypeError("the file could not be read"));
    reader.readAsDataURL(file);
  });
}
