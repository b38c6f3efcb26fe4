// What the three pages share: life with the host, sources, messages.
import type { CallToolResult } from "@modelcontextprotocol/client";
import type { McpUiHostContext } from "@modelcontextprotocol/ext-apps";
import { type ComponentChildren, createContext, render } from "preact";
import { useContext, useState } from "preact/hooks";
import type { Evidence } from "../../src/api/study";
import type { Locator } from "../../src/api/types";
import css from "./apps.css?inline";
import { type Arguments, Host, Refusal } from "./host";
import { learn } from "./maths";

/** What a tool was called with and what it answered. */
export interface Shown<T> {
  args: Arguments;
  data: T;
}

export class Session {
  readonly host: Host;
  args: Arguments = {};
  /** Where Lyceum's own pages are, without a slash at the end. */
  url: string | null = null;

  constructor(name: string, draw: () => void, result: (result: CallToolResult) => void, cancelled: () => void) {
    this.host = new Host(name, {
      input: (args) => (this.args = args),
      result,
      cancelled,
      context: (context) => {
        dress(context);
        draw();
      },
      teardown: () => {
        for (const tell of this.typing) tell();
        return this.leaving();
      },
    });
  }

  /** What must be stored before the page goes. */
  leaving: () => Promise<void> = async () => undefined;
  /** Hand over what is still being typed. */
  readonly typing = new Set<() => void>();

  async call<T>(tool: string, args: Arguments): Promise<T> {
    return this.take<T>(await this.host.call(tool, args));
  }

  /** The data of an answer, once its formulas and addresses are known. */
  take<T>(result: CallToolResult): T {
    const meta = result._meta ?? {};
    learn(meta["lyceum/maths"]);
    if (typeof meta["lyceum/url"] === "string") this.url = meta["lyceum/url"];
    if (!result.structuredContent) throw new Refusal("The answer holds nothing that this page can show.");
    return result.structuredContent as T;
  }
}

const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("A part of a page stands outside of it.");
  return session;
}

/** Mounts the page. `View` gets what the tool answered, as soon as it comes. */
export function start<T>(name: string, View: (props: { shown: Shown<T> }) => ComponentChildren): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
  const root = document.getElementById("app") as HTMLElement;
  let shown: Shown<T> | null = null;
  let message: string | null = null;
  let results = 0;
  const redraw = (): void =>
    render(
      <SessionContext.Provider value={session}>
        <main>{message ? <Problem text={message} /> : shown ? <View key={results} shown={shown} /> : <Waiting />}</main>
      </SessionContext.Provider>,
      root,
    );
  const session = new Session(
    name,
    redraw,
    (result) => {
      try {
        if (result.isError) throw new Refusal("");
        shown = { args: session.args, data: session.take<T>(result) };
        message = null;
        results += 1;
      } catch (error) {
        message = sentence(error) || "The tool answered with an error; the conversation says what it was.";
      }
      redraw();
    },
    () => {
      message = "This was cancelled.";
      redraw();
    },
  );
  redraw();
  session.host.connect().catch((error: unknown) => {
    message = sentence(error);
    redraw();
  });
}

/** The host's colours, fonts and insets, as variables of the root. */
function dress(context: McpUiHostContext): void {
  const root = document.documentElement;
  if (context.theme) root.dataset["theme"] = context.theme;
  if (context.displayMode) root.dataset["mode"] = context.displayMode;
  for (const [name, value] of Object.entries(context.styles?.variables ?? {})) {
    if (/^--[\w-]+$/.test(name) && typeof value === "string") root.style.setProperty(name, value);
  }
  for (const [side, pixels] of Object.entries(context.safeAreaInsets ?? {})) {
    root.style.setProperty(`--inset-${side}`, `${Number(pixels) || 0}px`);
  }
}

export const sentence = (error: unknown): string =>
  error instanceof Refusal ? error.message : "Something on this page did not work. Try it once more.";

/** Numbers in the person's own way of writing; a locale that the browser does not know falls back to its own. */
export function written(value: number, locale: string | undefined, options: Intl.NumberFormatOptions = {}): string {
  try {
    return new Intl.NumberFormat(locale, { maximumFractionDigits: 2, ...options }).format(value);
  } catch {
    return new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, ...options }).format(value);
  }
}

export function Waiting() {
  return (
    <p class="quiet" role="status">
      One moment…
    </p>
  );
}

export function Problem({ text, children }: { text: string; children?: ComponentChildren }) {
  return (
    <div class="problem" role="alert">
      <p>{text}</p>
      {children}
    </div>
  );
}

/** Runs something that may be refused: what is under way, and the sentence of what was refused. */
export function useDoing() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const doing = async (act: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await act();
      setProblem(null);
    } catch (error) {
      setProblem(sentence(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, doing };
}

/** Without an id the material is gone. */
type Evidenced = Evidence & { material_id?: string | null; material_title?: string };

/** Lyceum's own view of a place, with its text and the pages around it. */
export const placeIn = (materialId: string, { segment }: Locator): string => `/#/m/${materialId}/${segment + 1}`;

/** Where the material says it, and its words; opens the place in Lyceum, if the host opens links. */
export function Source({ evidence }: { evidence: Evidenced | null }) {
  if (!evidence) return null;
  const title = evidence.locator?.material_title ?? evidence.material_title ?? "";
  const place = [title, evidence.label].filter(Boolean).join(", ");
  return (
    <figure class="source" data-testid="source">
      {evidence.quote && <blockquote>{evidence.quote}</blockquote>}
      <figcaption>
        {place}
        <OpenButton path={evidence.material_id && evidence.locator ? placeIn(evidence.material_id, evidence.locator) : null} what={place} />
      </figcaption>
    </figure>
  );
}

export function OpenButton({ path, what }: { path: string | null; what: string }) {
  const { host, url } = useSession();
  const { problem, doing } = useDoing();
  const address = path && url && url + path;
  if (!address || !host.can.openLinks) return null;
  return (
    <>
      {" "}
      <button type="button" class="link" data-testid="open-link" aria-label={`Open ${what}`} onClick={() => void doing(() => host.open(address))}>
        Open
      </button>
      {problem && <span role="alert"> {problem}</span>}
    </>
  );
}

/** For hosts that can show a page larger. */
export function ModeButton() {
  const { host } = useSession();
  const { doing } = useDoing();
  const { displayMode = "inline", availableDisplayModes = [] } = host.context;
  const other = displayMode === "fullscreen" ? "inline" : "fullscreen";
  if (!availableDisplayModes.includes(other)) return null;
  return (
    <button type="button" class="plain" data-testid="mode" onClick={() => void doing(() => host.showAs(other))}>
      {other === "fullscreen" ? "Larger" : "Smaller"}
    </button>
  );
}
