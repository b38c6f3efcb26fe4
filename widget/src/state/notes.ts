// The notes of the chosen class: the list, with how far those are that are being made, and the open one.
import { signal } from "@preact/signals";
import type { Material, Note, NoteItem, NotesJob } from "../api/types";
import type { App } from "./app";
import { MadeList } from "./made";

export class NotesState {
  readonly list: MadeList<NoteItem>;
  readonly open = signal<Note | null>(null);

  constructor(private readonly app: App) {
    this.list = new MadeList<NoteItem>(app, "list_notes", (note) => {
      app.notice.value = {
        text: "Your notes are ready.",
        action: { label: "Open", run: () => void this.show(note.id) },
      };
    });
  }

  clear(): void {
    this.list.clear();
    this.open.value = null;
  }

  async show(id: string, opener: HTMLElement | null = null): Promise<void> {
    const note = await this.app.try(() => this.app.api.tool<Note>("get_note", { note_id: id }));
    if (!note) return;
    this.open.value = note;
    this.app.pane.show("note", opener);
  }

  async write(title: string): Promise<void> {
    const classId = this.app.library.classId.value;
    const args = { title, ...(classId ? { class_id: classId } : {}) };
    const made = await this.app.try(() => this.app.api.tool<Note>("create_note", args));
    if (made) await Promise.all([this.list.load(), this.show(made.id)]);
  }

  async save(id: string, title: string, text: string): Promise<boolean> {
    const saved = await this.app.try(() => this.app.api.tool<Note>("update_note", { note_id: id, title, text }));
    if (!saved) return false;
    await Promise.all([this.list.load(), this.show(id)]);
    return true;
  }

  async remove(note: NoteItem): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_note", { note_id: note.id }));
    if (done === undefined) return;
    this.app.pane.close();
    this.app.offerUndo(note.title, note.id, () => this.list.load());
    await this.list.load();
  }

  async make(material: Material): Promise<void> {
    const started = await this.app.try(() => this.app.api.tool<NotesJob>("make_notes", { material_id: material.id }));
    if (!started) return;
    this.app.notice.value = { text: `Notes are being made from “${material.title}”.` };
    await this.list.load();
  }
}
