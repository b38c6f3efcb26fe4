// The middle: the log, its empty state, and the composer.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useApp } from "../state/app";
import { isUnfinished } from "../state/uploads";
import { Icon, Mark } from "./icons";
import { Message } from "./Message";

export function Chat() {
  const { chat } = useApp();
  return (
    <main class="chat" aria-label="Chat">
      <Log />
      <p class="visually-hidden" role="status" data-testid="chat-status">
        {chat.status.value}
      </p>
      <Composer />
    </main>
  );
}

const NEAR_END_PX = 80;

function Log() {
  const { chat } = useApp();
  const node = useRef<HTMLDivElement>(null);
  const stick = useRef(true);
  const messages = chat.messages.value;
  const count = messages.length;
  useLayoutEffect(() => {
    stick.current = true;
  }, [chat.conversationId.value, count]);
  useLayoutEffect(() => {
    const log = node.current;
    if (log && stick.current) log.scrollTop = log.scrollHeight;
  });
  const onScroll = (): void => {
    const log = node.current;
    if (log) stick.current = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
  };
  return (
    <div
      class="log"
      role="log"
      aria-live="off"
      aria-label="Conversation"
      aria-busy={chat.running.value}
      tabIndex={0}
      ref={node}
      onScroll={onScroll}
      data-testid="log"
    >
      <div class="column">
        {chat.loading.value && <p class="activity">Opening the conversation…</p>}
        {chat.loadError.value && <LoadError sentence={chat.loadError.value} />}
        {count === 0 && !chat.loading.value && !chat.loadError.value && <Welcome />}
        {messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
        {chat.reconnecting.value && (
          <p class="activity" data-testid="reconnecting">
            <span class="pulse" aria-hidden="true" />
            Connection lost. Reconnecting; the answer goes on at the server…
          </p>
        )}
      </div>
    </div>
  );
}

function LoadError({ sentence }: { sentence: string }) {
  const { chat } = useApp();
  const id = chat.conversationId.value;
  return (
    <div class="ending failed" role="alert">
      <Icon name="warn" size={18} />
      <span>{sentence}</span>
      {id && (
        <button type="button" class="quiet" onClick={() => void chat.openConversation(id)}>
          <Icon name="retry" size={16} /> Try again
        </button>
      )}
    </div>
  );
}

/** Says what to do first, by what is there already. */
function Welcome() {
  const { library, drawerOpen } = useApp();
  const classes = library.classes.value;
  const materials = library.materials.value;
  if (classes === null || materials === null) return <p class="activity">Loading…</p>;
  const [title, text] = welcomeWords(
    classes.length,
    materials.length,
    materials.filter(isUnfinished).length,
    library.currentClass.value?.name ?? "",
  );
  return (
    <div class="welcome" data-testid="welcome">
      <Mark size={44} />
      <h2>{title}</h2>
      <p>{text}</p>
      {classes.length === 0 ? (
        <button type="button" class="primary only-narrow" onClick={() => (drawerOpen.value = true)}>
          <Icon name="plus" /> Make a class
        </button>
      ) : (
        materials.length === 0 && <AddFilesButton class="primary" />
      )}
    </div>
  );
}

function welcomeWords(classes: number, materials: number, unfinished: number, name: string): [string, string] {
  if (classes === 0) {
    return [
      "Start with a class",
      "A class holds the material of one course. Name your first one, then add your textbook, slides or notes.",
    ];
  }
  if (materials === 0) {
    return [
      `Add material to ${name}`,
      "Drop PDF, slides, Word, Markdown, HTML or text files anywhere on this page. Answers come from them, and every answer shows its page.",
    ];
  }
  const still = unfinished > 0 ? " Some of it is still being read; what is read already can be asked." : "";
  return [`Ask about ${name}`, `Answers quote your material, and each source opens at its page.${still}`];
}

export function AddFilesButton({ class: className = "quiet", label = "Add files" }: { class?: string; label?: string }) {
  const { library } = useApp();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={className} onClick={() => input.current?.click()}>
        <Icon name="upload" size={18} /> {label}
      </button>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Files to add"
        data-testid="upload-input"
        onChange={(event) => {
          library.addFiles(event.currentTarget.files ?? []);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

function Composer() {
  const { chat, library } = useApp();
  const draft = useSignal("");
  const area = useRef<HTMLTextAreaElement>(null);
  const running = chat.running.value;
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) area.current?.focus();
  }, [chat.conversationId.value === null]);
  useLayoutEffect(() => fitHeight(area.current), [draft.value]);
  const send = (): void => {
    if (running || !draft.value.trim()) return;
    const text = draft.value;
    draft.value = "";
    void chat.send(text);
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="column field">
        <label class="visually-hidden" for="lyceum-question">
          Your question
        </label>
        <textarea
          id="lyceum-question"
          ref={area}
          rows={1}
          placeholder={library.currentClass.value ? `Ask about ${library.currentClass.value.name}` : "Ask a question"}
          value={draft.value}
          data-testid="composer"
          onInput={(event) => (draft.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        {running ? (
          <button
            type="button"
            class="round halt"
            aria-label="Stop the answer"
            title="Stop"
            data-testid="stop"
            disabled={chat.stopping.value}
            onClick={() => void chat.stop()}
          >
            <Icon name="stop" />
          </button>
        ) : (
          <button
            type="submit"
            class="round"
            aria-label="Send the question"
            title="Send"
            data-testid="send"
            disabled={!draft.value.trim()}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
      <p class="column hint">Check the sources before you rely on an answer.</p>
    </form>
  );
}

function fitHeight(area: HTMLTextAreaElement | null): void {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 200)}px`;
}
