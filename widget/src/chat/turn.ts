// What one run has said so far: a pure fold of AG-UI 1.0 events. Unknown events change nothing.
import type { Citation } from "../api/types";

export type TurnStatus = "running" | "complete" | "cancelled" | "failed" | "interrupted";

export interface ToolActivity {
  id: string;
  name: string;
  done: boolean;
}

export interface Turn {
  runId: string;
  status: TurnStatus;
  /** One run may hold several messages; they read as one answer. */
  parts: readonly { id: string; text: string }[];
  citations: readonly Citation[];
  tools: readonly ToolActivity[];
  progress: string | null;
  error: string | null;
}

export interface AgUiEvent {
  type: string;
  [field: string]: unknown;
}

export function newTurn(runId: string): Turn {
  return { runId, status: "running", parts: [], citations: [], tools: [], progress: null, error: null };
}

export function turnText(turn: Turn): string {
  return turn.parts
    .map((part) => part.text)
    .filter((text) => text.trim() !== "")
    .join("\n\n");
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The turn after this event. Never throws, whatever the event holds. */
export function applyEvent(turn: Turn, event: AgUiEvent): Turn {
  if (turn.status !== "running") return turn;
  switch (event.type) {
    case "TEXT_MESSAGE_START":
      return openPart(turn, text(event["messageId"]));
    case "TEXT_MESSAGE_CONTENT":
    case "TEXT_MESSAGE_CHUNK":
      return append(turn, text(event["messageId"]), text(event["delta"]));
    case "TOOL_CALL_START":
      return startTool(turn, text(event["toolCallId"]), text(event["toolCallName"]));
    case "TOOL_CALL_RESULT":
      return finishTool(turn, text(event["toolCallId"]));
    case "CUSTOM":
      return applyCustom(turn, text(event["name"]), event["value"]);
    case "RUN_FINISHED":
      return { ...turn, status: outcome(event["outcome"]), progress: null };
    case "RUN_ERROR":
      return {
        ...turn,
        status: text(event["code"]) === "interrupted" ? "interrupted" : "failed",
        progress: null,
        error: text(event["message"]) || "The answer could not be finished.",
      };
    default:
      return turn;
  }
}

function outcome(value: unknown): TurnStatus {
  const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : value;
  if (type === "cancelled" || type === "interrupted") return type;
  return "complete";
}

function openPart(turn: Turn, id: string): Turn {
  if (turn.parts.some((part) => part.id === id)) return turn;
  return { ...turn, progress: null, parts: [...turn.parts, { id, text: "" }] };
}

function append(turn: Turn, id: string, delta: string): Turn {
  const target = id || (turn.parts.at(-1)?.id ?? "");
  const open = openPart(turn, target);
  if (!delta) return open;
  const parts = open.parts.map((part) => (part.id === target ? { id: target, text: part.text + delta } : part));
  return { ...open, progress: null, parts };
}

function startTool(turn: Turn, id: string, name: string): Turn {
  if (turn.tools.some((tool) => tool.id === id)) return turn;
  return { ...turn, progress: null, tools: [...turn.tools, { id, name, done: false }] };
}

function finishTool(turn: Turn, id: string): Turn {
  return { ...turn, progress: null, tools: turn.tools.map((tool) => (tool.id === id ? { ...tool, done: true } : tool)) };
}

function applyCustom(turn: Turn, name: string, value: unknown): Turn {
  const fields = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (name === "citations" && Array.isArray(fields["citations"])) {
    const fresh = (fields["citations"] as unknown[]).filter(isCitation);
    const kept = turn.citations.filter((old) => !fresh.some((one) => one.number === old.number));
    return { ...turn, citations: [...kept, ...fresh].sort((a, b) => a.number - b.number) };
  }
  if (name === "progress") {
    const message = typeof value === "string" ? value : text(fields["message"]);
    return message ? { ...turn, progress: message } : turn;
  }
  return turn;
}

/** A citation is only believed when everything the page needs to open it is there. */
export function isCitation(value: unknown): value is Citation {
  if (typeof value !== "object" || value === null) return false;
  const citation = value as Partial<Citation>;
  return (
    typeof citation.number === "number" &&
    typeof citation.passage_id === "string" &&
    typeof citation.locator === "object" &&
    citation.locator !== null
  );
}

const TOOL_LINES: Record<string, string> = {
  search_materials: "Searching your material…",
  open_passage: "Opening the passage…",
  read_material: "Reading your material…",
  list_materials: "Looking through your material…",
  get_material: "Looking through your material…",
  list_classes: "Looking through your classes…",
  add_text: "Adding the text…",
  generate_test: "Preparing a test…",
  generate_flashcards: "Preparing cards…",
  generate_document: "Preparing the document…",
  get_due_cards: "Looking what is due…",
};

/** The one quiet line above an answer: what is being done right now, or null when the text itself shows it. */
export function activityLine(turn: Turn): string | null {
  if (turn.status !== "running") return null;
  if (turn.progress) return turn.progress;
  const tool = turn.tools.findLast((one) => !one.done);
  if (tool) return TOOL_LINES[tool.name] ?? `Using ${tool.name.replaceAll("_", " ")}…`;
  return turnText(turn) === "" ? "Thinking…" : null;
}
