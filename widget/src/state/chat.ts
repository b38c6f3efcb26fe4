// The open conversation: stored messages, the run that is being written, and what the composer may do.
import { computed, signal } from "@preact/signals";
import { ApiError, newId, sentenceOf } from "../api/http";
import type { Citation, Conversation, ConversationItem, StoredMessage } from "../api/types";
import { attachRun, cancelRun, startRun } from "../chat/run";
import { type AgUiEvent, activityLine, applyEvent, newTurn, type Turn, turnText, type TurnStatus } from "../chat/turn";
import type { App } from "./app";

export function threadOf(item: ConversationItem): string {
  return item.thread_id ?? item.id;
}

export interface ChatMessage {
  id: string;
  role: "user" | "assistant";
  text: string;
  citations: readonly Citation[];
  status: TurnStatus;
  error: string | null;
  activity: string | null;
}

/** How long a stopped run may take to say so before the page gives up listening. */
const STOP_PATIENCE_MS = 1500;
const MOST_PAGES = 20;

export class ChatState {
  readonly conversationId = signal<string | null>(null);
  readonly loading = signal(false);
  readonly loadError = signal<string | null>(null);
  readonly settled = signal<readonly ChatMessage[]>([]);
  readonly turn = signal<Turn | null>(null);
  readonly reconnecting = signal(false);
  readonly stopping = signal(false);
  /** A short line for screen readers: states, never the tokens. */
  readonly status = signal("");
  readonly running = computed(() => this.turn.value !== null);
  readonly messages = computed<readonly ChatMessage[]>(() => {
    const turn = this.turn.value;
    return turn ? [...this.settled.value, messageOfTurn(turn)] : this.settled.value;
  });
  private listening: AbortController | null = null;

  constructor(private readonly app: App) {}

  /** Back to an empty conversation. A run that is going on goes on at the server. */
  clear(): void {
    this.listening?.abort();
    this.listening = null;
    this.conversationId.value = null;
    this.settled.value = [];
    this.turn.value = null;
    this.reconnecting.value = false;
    this.stopping.value = false;
    this.loading.value = false;
    this.loadError.value = null;
    this.status.value = "";
  }

  startNew(): void {
    this.clear();
    this.app.memory.set(null);
  }

  async openConversation(id: string): Promise<void> {
    this.clear();
    this.conversationId.value = id;
    this.app.memory.set(id);
    this.loading.value = true;
    try {
      const conversation = await this.fetchConversation(id);
      if (this.conversationId.value !== id) return;
      const thread = threadOf(conversation);
      if (thread !== id) {
        this.conversationId.value = id = thread;
        this.app.memory.set(thread);
      }
      if (conversation.class_id) await this.app.library.chooseClass(conversation.class_id);
      if (this.conversationId.value === id) this.show(conversation);
    } catch (error) {
      if (this.conversationId.value !== id) return;
      if (error instanceof ApiError && error.status === 404) return this.startNew();
      this.loadError.value = sentenceOf(error);
    } finally {
      if (this.conversationId.value === id) this.loading.value = false;
    }
  }

  async send(text: string): Promise<void> {
    const content = text.trim();
    if (!content || this.running.value) return;
    const isNew = this.conversationId.value === null;
    const threadId = this.conversationId.value ?? newId();
    const message = { id: newId(), role: "user" as const, content };
    this.conversationId.value = threadId;
    this.loadError.value = null;
    this.settled.value = [...this.settled.value, { ...plain(message.id, "user"), text: content }];
    const classId = this.app.library.classId.value;
    const request = {
      threadId,
      runId: newId(),
      messages: [message],
      forwardedProps: classId ? { class_id: classId } : {},
    };
    await this.listen(request.runId, (options) => startRun(this.app.api, request, options), () => {
      if (!isNew || this.conversationId.value !== threadId) return;
      this.app.memory.set(threadId);
      void this.app.library.loadConversations();
    });
  }

  /** Asks the question before this answer again, as a new run. */
  async retry(answerId: string): Promise<void> {
    const all = this.settled.value;
    const at = all.findIndex((message) => message.id === answerId);
    const question = all.slice(0, at < 0 ? all.length : at).findLast((message) => message.role === "user");
    if (question) await this.send(question.text);
  }

  async stop(): Promise<void> {
    const turn = this.turn.value;
    const listening = this.listening;
    if (!turn || this.stopping.value) return;
    this.stopping.value = true;
    const giveUp = setTimeout(() => {
      if (this.listening === listening) this.settle(listening, "cancelled", null);
    }, STOP_PATIENCE_MS);
    const answer = await this.app.try(() => cancelRun(this.app.api, turn.runId));
    if (!answer && this.listening === listening) {
      clearTimeout(giveUp);
      this.stopping.value = false;
    }
  }

  private async fetchConversation(id: string): Promise<Conversation> {
    const first = await this.app.api.tool<Conversation>("get_conversation", { conversation_id: id });
    let messages = first.messages;
    let cursor = first.next_cursor;
    for (let page = 1; cursor && page < MOST_PAGES; page++) {
      const more = await this.app.api.tool<Conversation>("get_conversation", { conversation_id: id, cursor });
      messages = [...more.messages, ...messages];
      cursor = more.next_cursor;
    }
    return { ...first, messages };
  }

  private show(conversation: Conversation): void {
    const active = conversation.active_run_id;
    this.settled.value = conversation.messages
      .filter((stored) => !(active && stored.role === "assistant" && stored.run_id === active))
      .map(messageOfStored);
    if (active) void this.listen(active, (options) => attachRun(this.app.api, active, options));
  }

  private async listen(
    runId: string,
    open: (options: { signal: AbortSignal; onReconnecting: (on: boolean) => void }) => AsyncGenerator<AgUiEvent>,
    onStarted?: () => void,
  ): Promise<void> {
    const listening = new AbortController();
    this.listening?.abort();
    this.listening = listening;
    this.stopping.value = false;
    this.status.value = "Working on the answer.";
    let turn = newTurn(runId);
    this.turn.value = turn;
    const frame = new FrameBatch(() => {
      if (this.listening === listening) this.turn.value = turn;
    });
    const onReconnecting = (on: boolean): void => {
      if (this.listening !== listening) return;
      this.reconnecting.value = on;
      if (on) this.status.value = "Connection lost, reconnecting.";
    };
    try {
      for await (const event of open({ signal: listening.signal, onReconnecting })) {
        turn = applyEvent(turn, event);
        frame.request();
        if (event.type === "RUN_STARTED") onStarted?.();
      }
      frame.flush();
      if (turn.status === "running") this.settle(listening, "interrupted", "The answer broke off.");
      else this.settle(listening, turn.status, turn.error);
    } catch (error) {
      frame.flush();
      const status = error instanceof ApiError ? "failed" : "interrupted";
      this.settle(listening, status, sentenceOf(error));
    }
  }

  /** Moves the running turn to the settled messages, once. */
  private settle(listening: AbortController | null, status: TurnStatus, error: string | null): void {
    const turn = this.turn.value;
    if (!turn || this.listening !== listening) return;
    this.settled.value = [...this.settled.value, messageOfTurn({ ...turn, status, error })];
    this.turn.value = null;
    this.listening = null;
    this.reconnecting.value = false;
    this.stopping.value = false;
    this.status.value = SAID[status];
    listening?.abort();
    void this.app.library.loadConversations();
    this.app.reloadAfter(turn.tools.map((tool) => tool.name));
  }
}

const SAID: Record<TurnStatus, string> = {
  running: "",
  complete: "The answer is complete.",
  cancelled: "The answer was stopped.",
  failed: "The answer failed.",
  interrupted: "The answer was interrupted.",
};

const plain = (id: string, role: "user" | "assistant"): ChatMessage => ({
  id,
  role,
  text: "",
  citations: [],
  status: "complete",
  error: null,
  activity: null,
});

function messageOfTurn(turn: Turn): ChatMessage {
  return {
    ...plain(turn.runId, "assistant"),
    text: turnText(turn),
    citations: turn.citations,
    status: turn.status,
    error: turn.error,
    activity: activityLine(turn),
  };
}

function messageOfStored(stored: StoredMessage): ChatMessage {
  return {
    ...plain(stored.id, stored.role),
    text: stored.text,
    citations: stored.citations ?? [],
    status: stored.role === "user" ? "complete" : stored.status,
  };
}

/** Joins changes into one per animation frame; hidden tabs get no frames, so those fall back to a timer. */
class FrameBatch {
  private cancel: (() => void) | null = null;

  constructor(private readonly apply: () => void) {}

  request(): void {
    if (this.cancel) return;
    const run = (): void => this.flush();
    const frame = requestAnimationFrame(run);
    const timer = setTimeout(run, 250);
    this.cancel = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }

  flush(): void {
    this.cancel?.();
    this.cancel = null;
    this.apply();
  }
}
