// The page's state, wired together: one App per mounted page or embed.
import { signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Api, ApiError, sentenceOf } from "../api/http";
import type { Registration, User } from "../api/types";
import { ChatState } from "./chat";
import { EvidenceState } from "./evidence";
import { LibraryState } from "./library";
import { NotesState } from "./notes";

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
  readonly notes: NotesState;

  constructor(
    readonly api: Api,
    readonly root: Document | ShadowRoot,
    readonly memory: Memory,
  ) {
    this.library = new LibraryState(this);
    this.chat = new ChatState(this);
    this.evidence = new EvidenceState(this);
    this.notes = new NotesState(this);
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

  private async open(user: User): Promise<void> {
    this.session.value = { state: "in", user };
    await this.library.loadClasses();
    const remembered = this.memory.get();
    if (remembered) await this.chat.openConversation(remembered);
  }

  private close(): void {
    this.chat.clear();
    this.evidence.close();
    this.library.clear();
    this.notes.clear();
    this.notice.value = null;
  }
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("outside of the app");
  return app;
}
