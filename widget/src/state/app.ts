// The page's state, wired together: one App per mounted page or embed.
import { signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Api, ApiError, sentenceOf } from "../api/http";
import type { Registration, User } from "../api/types";
import { CardsState } from "./cards";
import { ChatState } from "./chat";
import { ConnectionsState } from "./connections";
import { ConsentState } from "./consent";
import { DocumentsState } from "./documents";
import { EvidenceState } from "./evidence";
import { Following } from "./following";
import { LibraryState } from "./library";
import { NotesState } from "./notes";
import { PaneState } from "./pane";
import { TestsState } from "./tests";

export type SessionView =
  | { state: "loading" }
  | { state: "unreachable"; sentence: string }
  | { state: "out"; registration: Registration }
  | { state: "in"; user: User };

export interface Notice {
  text: string;
  action?: { label: string; run: () => void };
}

/** Where the page keeps the open conversation over a reload: the address of the page, or the tab's storage. */
export interface Memory {
  get(): string | null;
  set(conversationId: string | null): void;
}

export class App {
  readonly session = signal<SessionView>({ state: "loading" });
  readonly notice = signal<Notice | null>(null);
  readonly drawerOpen = signal(false);
  readonly library: LibraryState;
  readonly chat: ChatState;
  readonly evidence: EvidenceState;
  readonly pane = new PaneState();
  readonly following: Following;
  readonly notes: NotesState;
  readonly tests: TestsState;
  readonly cards: CardsState;
  readonly documents: DocumentsState;
  readonly connections: ConnectionsState;
  /** On the page /connect, in place of everything else. */
  readonly consent: ConsentState | null;

  constructor(
    readonly api: Api,
    readonly root: Document | ShadowRoot,
    readonly memory: Memory,
    connecting: string | null = null,
  ) {
    this.library = new LibraryState(this);
    this.chat = new ChatState(this);
    this.evidence = new EvidenceState(this);
    this.following = new Following(api);
    this.notes = new NotesState(this);
    this.tests = new TestsState(this);
    this.cards = new CardsState(this);
    this.documents = new DocumentsState(this);
    this.connections = new ConnectionsState(this);
    this.consent = connecting === null ? null : new ConsentState(this, connecting);
    api.onSignedOut = (registration) => {
      const known = this.session.value.state === "out" ? this.session.value.registration : null;
      this.close();
      this.session.value = { state: "out", registration: registration ?? known ?? "closed" };
    };
  }

  async start(): Promise<void> {
    this.session.value = { state: "loading" };
    try {
      await this.open((await this.api.session()).user);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return;
      this.session.value = { state: "unreachable", sentence: sentenceOf(error) };
    }
  }

  /** Opens the page when someone has signed in on another tab; what is typed here stays as long as nobody has. */
  async noticeSignIn(): Promise<void> {
    try {
      await this.open((await this.api.session()).user);
    } catch {
      // Still nobody, or no server: the form stands.
    }
  }

  async enter(action: "login" | "register", fields: Record<string, string>): Promise<void> {
    const session = await this.api.enter(action, fields);
    await this.open(session.user);
  }

  async leave(): Promise<void> {
    await this.try(() => this.api.logout());
    this.memory.set(null);
    this.close();
    await this.start();
  }

  /** Runs a user's action; a failure becomes a notice with the server's sentence. Answers undefined then. */
  async try<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) this.notice.value = { text: sentenceOf(error) };
      return undefined;
    }
  }

  /** Says that something went into the bin, and how to get it back. */
  offerUndo(title: string, id: string, reload: () => Promise<void>): void {
    const restore = async (): Promise<void> => {
      await this.try(() => this.api.tool("restore_item", { item_id: id }));
      await reload();
    };
    this.notice.value = {
      text: `“${title}” was removed.`,
      action: { label: "Undo", run: () => void restore() },
    };
  }

  /** Reads again what the tools of an answer have changed. */
  reloadAfter(tools: readonly string[]): void {
    const changing = tools.filter((name) => !/^(?:list|get|search|read|open|explain|chroma|data)_/.test(name));
    const touched = (what: RegExp): boolean => changing.some((name) => what.test(name) || name === "restore_item");
    if (touched(/class/)) void this.library.loadClasses();
    if (touched(/material|add_text|web_page/)) void this.library.refreshMaterials();
    if (touched(/note/)) void this.notes.list.load();
    if (touched(/test|question/)) void this.tests.list.load();
    if (touched(/card|deck|review/)) void this.cards.list.load();
    if (touched(/document/)) void this.documents.list.load();
  }

  /** A file of the server, saved under the name that it comes with. */
  download(path: string): void {
    const link = document.createElement("a");
    link.href = this.api.url(path);
    link.download = "";
    link.click();
  }

  private async open(user: User): Promise<void> {
    this.session.value = { state: "in", user };
    if (this.consent) return this.consent.load();
    await this.library.loadClasses();
    const remembered = this.memory.get();
    if (remembered) await this.chat.openConversation(remembered);
  }

  private close(): void {
    this.chat.clear();
    this.evidence.close();
    this.library.clear();
    this.pane.close();
    this.following.clear();
    this.notes.clear();
    this.tests.clear();
    this.cards.clear();
    this.documents.clear();
    this.connections.clear();
    this.notice.value = null;
  }
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("outside of the app");
  return app;
}
