// The notes of the chosen class: the list, with how far those are that are being made, and the open one.
import { signal } from "@preact/signals";
import type { JobEvent, Material, Note, NoteItem, NotesJob, Page } from "../api/types";
import type { App } from "./app";
import { jobEvents } from "./jobs";

const PAGE_SIZE = 30;

export class NotesState {
  readonly items = signal<readonly NoteItem[]>([]);
  readonly more = signal<string | null>(null);
  readonly open = signal<Note | null>(null);
  private opener: HTMLElement | null = null;
  private followed: { jobId: string; stop: AbortController } | null = null;

  constructor(private readonly app: App) {}

  clear(): void {
    this.followed?.stop.abort();
    this.items.value = [];
    this.more.value = null;
    this.open.value = null;
  }

  async load(more = false): Promise<void> {
    const classId = this.app.library.classId.value;
    if (!classId) {
      this.items.value = [];
      return;
    }
    const cursor = more ? this.more.value : null;
    const args = { class_id: classId, limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) };
    const page = await this.app.try(() => this.app.api.tool<Page<NoteItem>>("list_notes", args));
    if (!page || this.app.library.classId.value !== classId) return;
    this.items.value = more ? [...this.items.value, ...page.items] : page.items;
    this.more.value = page.next_cursor;
    const unfinished = page.items.find(isBeingMade);
    if (unfinished) void this.follow(unfinished);
  }

  async show(id: string, opener: HTMLElement | null = null): Promise<void> {
    const note = await this.app.try(() => this.app.api.tool<Note>("get_note", { note_id: id }));
    if (!note) return;
    this.opener = opener ?? this.opener;
    this.open.value = note;
  }

  close(): void {
    this.open.value = null;
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  async write(title: string): Promise<void> {
    const classId = this.app.library.classId.value;
    const args = { title, ...(classId ? { class_id: classId } : {}) };
    const made = await this.app.try(() => this.app.api.tool<Note>("create_note", args));
    if (made) await Promise.all([this.load(), this.show(made.id)]);
  }

  async save(id: string, title: string, text: string): Promise<boolean> {
    const saved = await this.app.try(() => this.app.api.tool<Note>("update_note", { note_id: id, title, text }));
    if (!saved) return false;
    await Promise.all([this.load(), this.show(id)]);
    return true;
  }

  async remove(note: NoteItem): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_note", { note_id: note.id }));
    if (done === undefined) return;
    this.close();
    this.app.notice.value = {
      text: `“${note.title}” was removed.`,
      action: { label: "Undo", run: () => void this.restore(note.id) },
    };
    await this.load();
  }

  async make(material: Material): Promise<void> {
    const started = await this.app.try(() => this.app.api.tool<NotesJob>("make_notes", { material_id: material.id }));
    if (!started) return;
    this.app.notice.value = { text: `Notes are being made from “${material.title}”.` };
    await this.load();
  }

  private async restore(id: string): Promise<void> {
    await this.app.try(() => this.app.api.tool("restore_item", { item_id: id }));
    await this.load();
  }

  /** One at a time: browsers allow few connections, and the list is read again at the end of each. */
  private async follow(note: NoteItem): Promise<void> {
    const jobId = note.making?.job_id;
    if (!jobId || this.followed?.jobId === jobId) return;
    this.followed?.stop.abort();
    const stop = new AbortController();
    this.followed = { jobId, stop };
    try {
      for await (const event of jobEvents(this.app.api, jobId, stop.signal)) this.tell(event);
    } catch {
      // Seen when the list is read the next time.
    }
    if (stop.signal.aborted) return;
    this.followed = null;
    await this.load();
    const finished = this.items.value.find((one) => one.id === note.id);
    if (finished && !isBeingMade(finished) && finished.making?.status !== "failed") {
      this.app.notice.value = {
        text: "Your notes are ready.",
        action: { label: "Open", run: () => void this.show(note.id) },
      };
    }
  }

  private tell(event: JobEvent): void {
    this.items.value = this.items.value.map((one) =>
      one.making?.job_id === event.job_id
        ? { ...one, making: { ...one.making, status: event.status, message: event.error ?? event.message } }
        : one,
    );
  }
}

export function isBeingMade(note: NoteItem): boolean {
  return note.making?.status === "queued" || note.making?.status === "running";
}
