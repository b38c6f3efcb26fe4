// The left: which class, its material, its conversations, and who is signed in.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../state/app";
import { threadOf } from "../state/chat";
import { AddFilesButton } from "./Chat";
import { Confirm } from "./Confirm";
import { Icon } from "./icons";
import { Materials } from "./Materials";
import { NotesSection } from "./Notes";
import { CardsSection } from "./Cards";
import { DocumentsSection } from "./Documents";
import { TestsSection } from "./Tests";

export function Sidebar() {
  const app = useApp();
  const session = app.session.value;
  const hasClass = app.library.classId.value !== null;
  return (
    <nav class="sidebar" aria-label="Classes, material and conversations">
      <ClassPicker />
      {hasClass && <MaterialSection />}
      {hasClass && (
        <>
          <CardsSection />
          <TestsSection />
          <DocumentsSection />
          <NotesSection />
        </>
      )}
      <Conversations />
      {session.state === "in" && (
        <footer class="account">
          <button
            type="button"
            class="conversation"
            data-testid="connections"
            aria-current={app.pane.kind.value === "connections" ? "true" : undefined}
            onClick={(event) => {
              app.drawerOpen.value = false;
              app.connections.show(event.currentTarget);
            }}
          >
            <Icon name="plug" size={16} />
            <span>Connections</span>
          </button>
          <span class="who" title={session.user.email}>
            {session.user.name || session.user.email}
          </span>
          <button type="button" class="quiet" data-testid="logout" onClick={() => void app.leave()}>
            <Icon name="leave" size={16} /> Sign out
          </button>
        </footer>
      )}
    </nav>
  );
}

function ClassPicker() {
  const { library, chat } = useApp();
  const making = useSignal(false);
  const removing = useSignal(false);
  const classes = library.classes.value;
  const current = library.currentClass.value;
  const homeless = library.homeless.value.length;
  if (classes === null) return <p class="activity">Loading…</p>;
  const showForm = making.value || classes.length === 0;
  return (
    <section class="classes" aria-label="Class">
      {classes.length > 0 && (
        <>
          <div class="section-head">
            <label for="lyceum-class">Class</label>
            <button
              type="button"
              class="quiet"
              aria-label="New class"
              aria-expanded={showForm}
              data-testid="new-class"
              onClick={() => (making.value = !making.value)}
            >
              <Icon name="plus" size={18} /> New
            </button>
          </div>
          <div class="row">
            <select
              id="lyceum-class"
              data-testid="class-select"
              value={library.classId.value ?? ""}
              onChange={(event) => {
                chat.startNew();
                void library.chooseClass(event.currentTarget.value);
              }}
            >
              {classes.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
            <button
              type="button"
              class="icon-button small"
              aria-label={`Delete the class ${current?.name ?? ""}`}
              title="Delete class"
              onClick={() => (removing.value = true)}
            >
              <Icon name="trash" size={16} />
            </button>
          </div>
        </>
      )}
      {showForm && <ClassForm homeless={homeless} first={classes.length === 0} onDone={() => (making.value = false)} />}
      {removing.value && current && (
        <Confirm
          title={`Delete “${current.name}”?`}
          text={lossWords(library.materials.value?.length ?? 0, library.moreMaterials.value !== null)}
          action="Delete class"
          onClose={(confirmed) => {
            removing.value = false;
            if (confirmed) void library.deleteClass(current.id);
          }}
        />
      )}
    </section>
  );
}

function lossWords(materials: number, andMore: boolean): string {
  if (materials === 0) return "It holds no material.";
  if (materials === 1) return "Its one material goes with it.";
  return andMore ? "All its material goes with it." : `Its ${materials} materials go with it.`;
}

function ClassForm({ homeless, first, onDone }: { homeless: number; first: boolean; onDone: () => void }) {
  const { library } = useApp();
  const name = useSignal("");
  const busy = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!first || homeless > 0) input.current?.focus();
  }, [homeless]);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!name.value.trim() || busy.value) return;
    busy.value = true;
    if (await library.createClass(name.value.trim())) onDone();
    busy.value = false;
  };
  return (
    <form class="class-form" onSubmit={(event) => void submit(event)}>
      <label for="lyceum-class-name">
        {homeless > 0
          ? `Name a class for the ${homeless === 1 ? "file" : `${homeless} files`} you dropped`
          : first
            ? "Name of your first class"
            : "Name of the new class"}
      </label>
      <div class="row">
        <input
          id="lyceum-class-name"
          ref={input}
          value={name.value}
          maxLength={120}
          required
          placeholder="Calculus I"
          autocomplete="off"
          data-testid="class-name"
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <button type="submit" class="primary" data-testid="create-class" disabled={busy.value}>
          Create
        </button>
      </div>
    </form>
  );
}

function MaterialSection() {
  const { library } = useApp();
  const adding = useSignal<"text" | "link" | null>(null);
  const opener = (what: "text" | "link", label: string) => (
    <button
      type="button"
      class="quiet"
      aria-expanded={adding.value === what}
      data-testid={`add-${what}`}
      onClick={() => (adding.value = adding.value === what ? null : what)}
    >
      <Icon name={what} size={18} /> {label}
    </button>
  );
  const done = (): void => {
    adding.value = null;
  };
  return (
    <section class="materials" aria-label="Material">
      <div class="section-head">
        <h2>Material</h2>
        {opener("text", "Text")}
        {opener("link", "Link")}
        <AddFilesButton label="Files" />
      </div>
      {adding.value === "text" && <TextForm key={library.classId.value} onDone={done} />}
      {adding.value === "link" && <LinkForm key={library.classId.value} onDone={done} />}
      <Materials />
    </section>
  );
}

function TextForm({ onDone }: { onDone: () => void }) {
  const { library } = useApp();
  const title = useSignal("");
  const text = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    if (await library.addText(title.value.trim(), text.value)) onDone();
    busy.value = false;
  };
  return (
    <form class="text-form" onSubmit={(event) => void submit(event)}>
      <label for="lyceum-text-title">Title</label>
      <input
        id="lyceum-text-title"
        value={title.value}
        required
        maxLength={200}
        autocomplete="off"
        onInput={(event) => (title.value = event.currentTarget.value)}
      />
      <label for="lyceum-text">Text</label>
      <textarea
        id="lyceum-text"
        rows={6}
        required
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <div class="row end">
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy.value}>
          Add text
        </button>
      </div>
    </form>
  );
}

function LinkForm({ onDone }: { onDone: () => void }) {
  const { library } = useApp();
  const url = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    if (await library.addWebPage(url.value.trim())) onDone();
    busy.value = false;
  };
  return (
    <form class="text-form" onSubmit={(event) => void submit(event)}>
      <label for="lyceum-link">Address of a web page or a YouTube video</label>
      <input
        id="lyceum-link"
        type="url"
        required
        maxLength={2000}
        placeholder="https://"
        autocomplete="off"
        data-testid="link-url"
        value={url.value}
        onInput={(event) => (url.value = event.currentTarget.value)}
      />
      <div class="row end">
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy.value} data-testid="link-add">
          {busy.value ? "Fetching…" : "Add page"}
        </button>
      </div>
    </form>
  );
}

function Conversations() {
  const { library, chat, drawerOpen } = useApp();
  const items = library.conversations.value;
  const open = chat.conversationId.value;
  return (
    <section class="conversations" aria-label="Conversations">
      <div class="section-head">
        <h2>Conversations</h2>
        <button
          type="button"
          class="quiet"
          data-testid="new-chat"
          onClick={() => {
            chat.startNew();
            drawerOpen.value = false;
          }}
        >
          <Icon name="plus" size={18} /> New
        </button>
      </div>
      {items.length === 0 && <p class="empty">Your questions will be kept here.</p>}
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <button
              type="button"
              class="conversation"
              aria-current={threadOf(item) === open ? "true" : undefined}
              data-testid="conversation"
              onClick={() => {
                drawerOpen.value = false;
                if (threadOf(item) !== open) void chat.openConversation(threadOf(item));
              }}
            >
              <Icon name="chat" size={16} />
              <span>{item.title || "Untitled conversation"}</span>
            </button>
          </li>
        ))}
      </ul>
      {library.moreConversations.value && (
        <button type="button" class="quiet" onClick={() => void library.loadConversations(true)}>
          Show more
        </button>
      )}
    </section>
  );
}
