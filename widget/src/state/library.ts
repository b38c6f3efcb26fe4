// Classes, the material of the chosen class, its conversations, and files on their way in.
import { computed, signal } from "@preact/signals";
import { newId, sentenceOf } from "../api/http";
import type { ConversationItem, CourseClass, Material, Page, Uploaded } from "../api/types";
import type { App } from "./app";
import { JobWatcher } from "./jobs";
import { isUnfinished, newUpload, type Upload, type UploadEvent, uploadStep, withJob } from "./uploads";

const AT_ONCE = 2;
/** From this size on a file is sent in parts that can be taken up again; below, one request is faster. */
const RESUMABLE_BYTES = 16e6;
const PAGE_SIZE = 50;

export class LibraryState {
  readonly classes = signal<readonly CourseClass[] | null>(null);
  readonly classId = signal<string | null>(null);
  readonly materials = signal<readonly Material[] | null>(null);
  readonly moreMaterials = signal<string | null>(null);
  readonly conversations = signal<readonly ConversationItem[]>([]);
  readonly moreConversations = signal<string | null>(null);
  readonly uploads = signal<readonly Upload[]>([]);
  /** Files dropped before there was a class to put them in. */
  readonly homeless = signal<readonly File[]>([]);
  readonly currentClass = computed(
    () => this.classes.value?.find((one) => one.id === this.classId.value) ?? null,
  );
  private readonly files = new Map<string, { file: File; classId: string; stop: AbortController }>();
  private readonly jobs: JobWatcher;

  constructor(private readonly app: App) {
    this.jobs = new JobWatcher(app.api, {
      onEvent: (event) => {
        this.materials.value = this.materials.value?.map((one) => withJob(one, event)) ?? null;
      },
      onChanged: () => void this.pollMaterials(),
    });
  }

  clear(): void {
    this.jobs.stop();
    for (const { stop } of this.files.values()) stop.abort();
    this.files.clear();
    this.classes.value = null;
    this.classId.value = null;
    this.materials.value = null;
    this.conversations.value = [];
    this.uploads.value = [];
    this.homeless.value = [];
  }

  async loadClasses(): Promise<void> {
    const classes: CourseClass[] = [];
    let cursor: string | null = null;
    do {
      const args: Record<string, unknown> = cursor ? { cursor } : {};
      const page: Page<CourseClass> | undefined = await this.app.try(() => this.app.api.tool("list_classes", args));
      if (!page) break;
      classes.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor && classes.length < 1000);
    if (this.app.session.value.state !== "in") return;
    this.classes.value = classes;
    const stillThere = classes.some((one) => one.id === this.classId.value);
    if (!stillThere) await this.chooseClass(classes[0]?.id ?? null);
  }

  async chooseClass(id: string | null): Promise<void> {
    if (id !== null && this.classId.value === id) return;
    this.classId.value = id;
    this.materials.value = id ? null : [];
    this.moreMaterials.value = null;
    this.conversations.value = [];
    this.jobs.stop();
    await Promise.all([id ? this.refreshMaterials() : null, this.loadConversations()]);
  }

  async createClass(name: string): Promise<boolean> {
    const created = await this.app.try(() => this.app.api.tool<CourseClass>("create_class", { name }));
    if (!created) return false;
    await this.loadClasses();
    await this.chooseClass(created.id);
    const waiting = [...this.homeless.value];
    this.homeless.value = [];
    if (waiting.length > 0) this.addFiles(waiting);
    return true;
  }

  async deleteClass(id: string): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_class", { class_id: id }));
    if (done === undefined) return;
    this.app.chat.startNew();
    this.classId.value = null;
    await this.loadClasses();
  }

  async refreshMaterials(): Promise<void> {
    await this.app.try(() => this.readMaterials());
  }

  /** The same in the background: a failure is not worth a notice, the next time may work. */
  private async pollMaterials(): Promise<void> {
    try {
      await this.readMaterials();
    } catch {
      this.jobs.tryLater();
    }
  }

  private async readMaterials(): Promise<void> {
    const classId = this.classId.value;
    if (!classId) return;
    const shown = this.materials.value?.length ?? 0;
    const limit = Math.min(100, Math.max(PAGE_SIZE, shown));
    const page = await this.app.api.tool<Page<Material>>("list_materials", { class_id: classId, limit });
    if (this.classId.value !== classId) return;
    this.materials.value = page.items;
    this.moreMaterials.value = page.next_cursor;
    this.jobs.watch(page.items.filter(isUnfinished));
    this.dropStoredUploads();
  }

  async loadMoreMaterials(): Promise<void> {
    const classId = this.classId.value;
    const cursor = this.moreMaterials.value;
    if (!classId || !cursor) return;
    const page = await this.app.try(() =>
      this.app.api.tool<Page<Material>>("list_materials", { class_id: classId, limit: PAGE_SIZE, cursor }),
    );
    if (!page || this.classId.value !== classId) return;
    this.materials.value = [...(this.materials.value ?? []), ...page.items];
    this.moreMaterials.value = page.next_cursor;
  }

  async loadConversations(more = false): Promise<void> {
    const classId = this.classId.value;
    const cursor = more ? this.moreConversations.value : null;
    const args = { limit: 30, ...(classId ? { class_id: classId } : {}), ...(cursor ? { cursor } : {}) };
    const page = await this.app.try(() => this.app.api.tool<Page<ConversationItem>>("list_conversations", args));
    if (!page || this.classId.value !== classId) return;
    this.conversations.value = more ? [...this.conversations.value, ...page.items] : page.items;
    this.moreConversations.value = page.next_cursor;
  }

  async deleteMaterial(material: Material): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_material", { material_id: material.id }));
    if (done === undefined) return;
    this.app.notice.value = {
      text: `“${material.title}” was removed.`,
      action: { label: "Undo", run: () => void this.materialAction("restore_material", { material_id: material.id }) },
    };
    await this.afterMaterialChange();
  }

  cancelJob(jobId: string): Promise<void> {
    return this.materialAction("cancel_job", { job_id: jobId });
  }

  retryJob(jobId: string): Promise<void> {
    return this.materialAction("retry_job", { job_id: jobId });
  }

  readAgain(material: Material): Promise<void> {
    return this.materialAction("reprocess_material", { material_id: material.id });
  }

  async addText(title: string, text: string): Promise<boolean> {
    const classId = this.classId.value;
    if (!classId) return false;
    const added = await this.app.try(() => this.app.api.tool("add_text", { class_id: classId, title, text }));
    if (added === undefined) return false;
    await this.afterMaterialChange();
    return true;
  }

  async addWebPage(url: string): Promise<boolean> {
    const classId = this.classId.value;
    if (!classId) return false;
    const added = await this.app.try(() => this.app.api.tool<Uploaded>("add_web_page", { class_id: classId, url }));
    if (added === undefined) return false;
    if (added.duplicate) this.app.notice.value = { text: "This page was already here; nothing was added twice." };
    await this.afterMaterialChange();
    return true;
  }

  addFiles(files: Iterable<File>): void {
    const list = [...files];
    const classId = this.classId.value;
    if (list.length === 0) return;
    if (!classId) {
      this.homeless.value = [...this.homeless.value, ...list];
      this.app.drawerOpen.value = true;
      return;
    }
    for (const file of list) {
      const key = newId();
      this.files.set(key, { file, classId, stop: new AbortController() });
      this.uploads.value = [...this.uploads.value, newUpload(key, file.name, file.size)];
    }
    this.sendNext();
  }

  stopUpload(key: string): void {
    this.files.get(key)?.stop.abort();
    this.step(key, { type: "cancelled" });
  }

  retryUpload(key: string): void {
    const held = this.files.get(key);
    if (!held) return;
    held.stop = new AbortController();
    this.uploads.value = this.uploads.value.map((one) =>
      one.key === key ? newUpload(key, one.name, one.size) : one,
    );
    this.sendNext();
  }

  dismissUpload(key: string): void {
    this.files.delete(key);
    this.uploads.value = this.uploads.value.filter((one) => one.key !== key);
  }

  private async materialAction(tool: string, args: Record<string, unknown>): Promise<void> {
    await this.app.try(() => this.app.api.tool(tool, args));
    await this.afterMaterialChange();
  }

  private async afterMaterialChange(): Promise<void> {
    await Promise.all([this.refreshMaterials(), this.loadClasses()]);
  }

  private sendNext(): void {
    const sending = this.uploads.value.filter((one) => one.phase === "sending").length;
    const waiting = this.uploads.value.filter((one) => one.phase === "waiting");
    for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - sending))) void this.sendOne(upload.key);
  }

  private async sendOne(key: string): Promise<void> {
    const held = this.files.get(key);
    if (!held) return;
    const { file, classId, stop } = held;
    this.step(key, { type: "start" });
    try {
      const sent = (bytes: number, size: number): void => this.step(key, { type: "sent", bytes, size });
      const uploaded =
        file.size < RESUMABLE_BYTES
          ? await this.app.api.upload(file, classId, sent, stop.signal)
          : await (await import("../api/resumable")).sendResumable(this.app.api, file, classId, sent, stop.signal);
      this.step(key, { type: "stored", uploaded });
      this.files.delete(key);
      await this.afterMaterialChange();
    } catch (error) {
      if (stop.signal.aborted) this.step(key, { type: "cancelled" });
      else this.step(key, { type: "failed", error: this.uploadError(error) });
    }
    this.sendNext();
  }

  private uploadError(error: unknown): string {
    return error instanceof TypeError ? "The upload was cut off. Try again; a large file goes on where it stopped." : sentenceOf(error);
  }

  private step(key: string, event: UploadEvent): void {
    this.uploads.value = this.uploads.value.map((one) => (one.key === key ? uploadStep(one, event) : one));
  }

  /** A stored file shows as its material; only the news that it was already here stays until dismissed. */
  private dropStoredUploads(): void {
    this.uploads.value = this.uploads.value.filter((one) => one.phase !== "stored" || one.duplicate);
  }
}
