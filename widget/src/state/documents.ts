// Documents made from the material: their list, and the open one with its citations.
import { signal } from "@preact/signals";
import type { DocumentDetails, DocumentItem } from "../api/study";
import type { App } from "./app";
import { MadeList } from "./made";

export class DocumentsState {
  readonly list: MadeList<DocumentItem>;
  readonly open = signal<DocumentDetails | null>(null);

  constructor(private readonly app: App) {
    this.list = new MadeList<DocumentItem>(app, "list_documents", (made) => {
      app.notice.value = {
        text: `“${made.title}” is ready.`,
        action: { label: "Open", run: () => void this.show(made.id) },
      };
      if (this.open.value?.id === made.id) void this.show(made.id);
    });
  }

  clear(): void {
    this.list.clear();
    this.open.value = null;
  }

  async make(args: Record<string, unknown>): Promise<boolean> {
    const started = await this.app.try(() => this.app.api.tool<{ message: string }>("generate_document", args));
    if (!started) return false;
    this.app.notice.value = { text: started.message };
    await this.list.load();
    return true;
  }

  async show(id: string, opener: HTMLElement | null = null): Promise<void> {
    const found = await this.app.try(() => this.app.api.tool<DocumentDetails>("get_document", { document_id: id }));
    if (!found) return;
    this.open.value = found;
    this.app.pane.show("document", opener);
  }

  async remove(item: DocumentItem): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_document", { document_id: item.id }));
    if (done === undefined) return;
    this.app.pane.close();
    this.app.offerUndo(item.title, item.id, () => this.list.load());
    await this.list.load();
  }
}
