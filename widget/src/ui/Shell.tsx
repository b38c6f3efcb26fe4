// The frame of the page: header, sidebar or drawer, chat, evidence, notices, and files dropped anywhere.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type App, useApp } from "../state/app";
import { Chat } from "./Chat";
import { ConnectionsPane } from "./Connections";
import { Consent } from "./Consent";
import { Evidence } from "./Evidence";
import { Icon, Mark } from "./icons";
import { Login } from "./Login";
import { CardsPane } from "./Cards";
import { DocumentPane } from "./Documents";
import { NotePane } from "./Notes";
import { Sidebar } from "./Sidebar";
import { TestPane } from "./Tests";

export function Shell() {
  const app = useApp();
  const session = app.session.value;
  if (session.state === "loading") {
    return (
      <main class="login" aria-busy="true">
        <p class="activity">Opening Lyceum…</p>
      </main>
    );
  }
  if (session.state === "out") return <Login registration={session.registration} connecting={app.consent !== null} />;
  if (session.state === "unreachable") {
    return (
      <main class="login">
        <div class="unreachable" role="alert">
          <Mark size={40} />
          <p>{session.sentence}</p>
          <button type="button" class="primary" onClick={() => void app.start()}>
            Try again
          </button>
        </div>
      </main>
    );
  }
  return app.consent ? <Consent consent={app.consent} /> : <Workspace />;
}

function Workspace() {
  const app = useApp();
  const { drawerOpen, library, evidence, pane } = app;
  const drawer = drawerOpen.value;
  const open = evidence.view.value !== null;
  return (
    <div
      class={`workspace${drawer ? " drawer-open" : ""}${open ? " evidence-open" : ""}${pane.kind.value ? " pane-open" : ""}`}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !drawer) return;
        event.preventDefault();
        drawerOpen.value = false;
      }}
    >
      <header class="top">
        <button
          type="button"
          class="icon-button only-narrow"
          aria-label={drawer ? "Close the menu" : "Open the menu"}
          aria-expanded={drawer}
          data-testid="menu"
          onClick={() => (drawerOpen.value = !drawer)}
        >
          <Icon name={drawer ? "close" : "menu"} />
        </button>
        <Mark size={26} />
        <h1>Lyceum</h1>
        <span class="crumb">{library.currentClass.value?.name ?? ""}</span>
      </header>
      <Sidebar />
      <button
        type="button"
        class="scrim"
        aria-label="Close the menu"
        tabIndex={-1}
        onClick={() => (drawerOpen.value = false)}
      />
      <Chat />
      <OpenPane />
      <Evidence />
      <NoticeLine />
      <DropZone app={app} />
    </div>
  );
}

function OpenPane() {
  const { pane } = useApp();
  switch (pane.kind.value) {
    case "note":
      return <NotePane />;
    case "test":
      return <TestPane />;
    case "cards":
      return <CardsPane />;
    case "document":
      return <DocumentPane />;
    case "connections":
      return <ConnectionsPane />;
    case null:
      return null;
  }
}

const NOTICE_MS = 12_000;

function NoticeLine() {
  const { notice } = useApp();
  const current = notice.value;
  useEffect(() => {
    if (!current) return undefined;
    const timer = setTimeout(() => {
      if (notice.value === current) notice.value = null;
    }, NOTICE_MS);
    return () => clearTimeout(timer);
  }, [current]);
  return (
    <div class="notice-place" role="status">
      {current && (
        <div class="notice" data-testid="notice">
          <span>{current.text}</span>
          {current.action && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                notice.value = null;
                current.action?.run();
              }}
            >
              {current.action.label}
            </button>
          )}
          <button type="button" class="icon-button small" aria-label="Dismiss" onClick={() => (notice.value = null)}>
            <Icon name="close" size={16} />
          </button>
        </div>
      )}
    </div>
  );
}

/** Takes files dropped anywhere on the page (or on the panel, when embedded). */
function DropZone({ app }: { app: App }) {
  const over = useSignal(false);
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target: EventTarget = app.root instanceof Document ? window : (node.current?.closest(".lyceum") ?? window);
    let depth = 0;
    const holdsFiles = (event: Event): event is DragEvent =>
      event instanceof DragEvent && (event.dataTransfer?.types.includes("Files") ?? false);
    const listeners: Record<string, (event: Event) => void> = {
      dragenter: (event) => {
        if (!holdsFiles(event)) return;
        depth += 1;
        over.value = true;
      },
      dragleave: (event) => {
        if (!holdsFiles(event)) return;
        depth = Math.max(0, depth - 1);
        if (depth === 0) over.value = false;
      },
      dragover: (event) => {
        if (holdsFiles(event)) event.preventDefault();
      },
      drop: (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        depth = 0;
        over.value = false;
        app.library.addFiles(event.dataTransfer?.files ?? []);
      },
    };
    for (const [type, listener] of Object.entries(listeners)) target.addEventListener(type, listener);
    return () => {
      for (const [type, listener] of Object.entries(listeners)) target.removeEventListener(type, listener);
    };
  }, []);
  return (
    <div ref={node} class={over.value ? "drop over" : "drop"} aria-hidden="true">
      <p>
        <Icon name="upload" size={28} /> Drop to add to {app.library.currentClass.value?.name ?? "a new class"}
      </p>
    </div>
  );
}
