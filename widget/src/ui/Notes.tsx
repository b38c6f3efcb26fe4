// Notes: their list in the sidebar, and the open one over the chat, with sources that open the evidence.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Note } from "../api/types";
import { useApp } from "../state/app";
import { splitBlocks } from "../text/markdown";
import { Block } from "./Block";
import { Icon } from "./icons";
import { MadeItems, NewButton } from "./Made";
import { Pane, RemoveButton } from "./Pane";
import { Sources } from "./Sources";

export function NotesSection() {
  const { notes, drawerOpen, library, pane } = useApp();
  const naming = useSignal(false);
  useEffect(() => void notes.list.load(), [library.classId.value]);
  return (
    <section class="made" aria-label="Notes">
      <div class="section-head">
        <h2>Notes</h2>
        <NewButton what="note" expanded={naming.value} onClick={() => (naming.value = !naming.value)} />
      </div>
      {naming.value && <NameForm onDone={() => (naming.value = false)} />}
      <MadeItems
        list={notes.list}
        icon="note"
        testid="note"
        empty="Write one, or make notes from a recording or any other material."
        current={pane.kind.value === "note" ? notes.open.value?.id : undefined}
        onOpen={(note, opener) => {
          drawerOpen.value = false;
          void notes.show(note.id, opener);
        }}
      />
    </section>
  );
}

function NameForm({ onDone }: { onDone: () => void }) {
  const { notes, drawerOpen } = useApp();
  const title = useSignal("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!title.value.trim()) return;
    await notes.write(title.value.trim());
    drawerOpen.value = false;
    onDone();
  };
  return (
    <form class="class-form" onSubmit={(event) => void submit(event)}>
      <label for="lyceum-note-title">Title of the note</label>
      <div class="row">
        <input
          id="lyceum-note-title"
          ref={input}
          value={title.value}
          maxLength={300}
          required
          autocomplete="off"
          onInput={(event) => (title.value = event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Create
        </button>
      </div>
    </form>
  );
}

export function NotePane() {
  const { notes } = useApp();
  const note = notes.open.value;
  return note ? <OpenNote key={note.id} note={note} /> : null;
}

function OpenNote({ note }: { note: Note }) {
  const { notes } = useApp();
  const editing = useSignal(false);
  const actions = (
    <>
      {!editing.value && (
        <button type="button" class="quiet" data-testid="note-edit" onClick={() => (editing.value = true)}>
          <Icon name="edit" size={16} /> Edit
        </button>
      )}
      <RemoveButton what={`the note ${note.title}`} onClick={() => void notes.remove(note)} />
    </>
  );
  return (
    <Pane kind="note" title={note.title} actions={actions} keepsEscape={editing.value}>
      {editing.value ? <Editor note={note} onDone={() => (editing.value = false)} /> : <Reader note={note} />}
    </Pane>
  );
}

function Reader({ note }: { note: Note }) {
  const { evidence } = useApp();
  const labels = useMemo(
    () => new Map(note.sources.map((one) => [one.number, `${one.locator.material_title}, ${one.label}`] as const)),
    [note],
  );
  const open = (event: Event): void => {
    const button = (event.target as Element | null)?.closest<HTMLElement>("button[data-cite]");
    const source = note.sources.find((one) => one.number === Number(button?.dataset["cite"]));
    if (button && source) void evidence.openCitation(source, button);
  };
  return (
    <article onClick={open}>
      <div class="prose">
        {splitBlocks(note.text).map((source, index) => (
          <Block key={index} source={source} labels={labels} />
        ))}
      </div>
      {note.sources.length > 0 && <Sources citations={note.sources} of="this note" />}
    </article>
  );
}

function Editor({ note, onDone }: { note: Note; onDone: () => void }) {
  const { notes } = useApp();
  const title = useSignal(note.title);
  const text = useSignal(note.text);
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    if (await notes.save(note.id, title.value.trim(), text.value)) onDone();
    busy.value = false;
  };
  return (
    <form class="text-form" onSubmit={(event) => void submit(event)}>
      <label for="lyceum-note-name">Title</label>
      <input
        id="lyceum-note-name"
        value={title.value}
        required
        maxLength={300}
        onInput={(event) => (title.value = event.currentTarget.value)}
      />
      <label for="lyceum-note-text">Text, in Markdown</label>
      <textarea
        id="lyceum-note-text"
        rows={18}
        value={text.value}
        data-testid="note-text"
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <div class="row end">
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy.value} data-testid="note-save">
          Save
        </button>
      </div>
    </form>
  );
}
