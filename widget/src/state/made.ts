// A list of things of the chosen class that jobs make: tests, decks, documents. Those that are being made are followed.
import { type Signal, signal } from "@preact/signals";
import { isUnderWay, type Making } from "../api/study";
import type { JobEvent, Page } from "../api/types";
import type { App } from "./app";

const PAGE_SIZE = 20;

interface Item {
  id: string;
  title: string;
  making: Making | null;
}

export class MadeList<T extends Item> {
  readonly items: Signal<readonly T[]> = signal<readonly T[]>([]);
  readonly more = signal<string | null>(null);

  constructor(
    private readonly app: App,
    private readonly tool: string,
    /** What is told, and done, once one of them is ready. */
    private readonly onReady: (item: T) => void,
    private readonly onPage: (page: Page<T>) => void = () => undefined,
  ) {}

  clear(): void {
    this.items.value = [];
    this.more.value = null;
  }

  async load(more = false): Promise<void> {
    const classId = this.app.library.classId.value;
    if (!classId) return this.clear();
    const cursor = more ? this.more.value : null;
    const args = { class_id: classId, limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) };
    const page = await this.app.try(() => this.app.api.tool<Page<T>>(this.tool, args));
    if (!page || this.app.library.classId.value !== classId) return;
    this.items.value = more ? [...this.items.value, ...page.items] : page.items;
    this.more.value = page.next_cursor;
    this.onPage(page);
    for (const item of page.items) this.follow(item);
  }

  private follow(item: T): void {
    if (!item.making || !isUnderWay(item.making)) return;
    const ended = async (): Promise<void> => {
      await this.load();
      const now = this.items.value.find((one) => one.id === item.id);
      if (now && !isUnderWay(now.making) && now.making?.status !== "failed") this.onReady(now);
    };
    this.app.following.follow(item.making.job_id, (event) => this.tell(event), () => void ended());
  }

  private tell(event: JobEvent): void {
    this.items.value = this.items.value.map((one) =>
      one.making?.job_id === event.job_id
        ? { ...one, making: { ...one.making, status: event.status, message: event.error ?? event.message } }
        : one,
    );
  }
}
