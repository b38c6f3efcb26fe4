// The shapes the server speaks. Only the fields this page reads are named.
import type { Making } from "./study";

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface Locator {
  material_id: string;
  material_title: string;
  segment: number;
  page: number | null;
  page_label: string | null;
  slide: number | null;
  t_start: number | null;
  t_end: number | null;
  heading_path: string[];
  /** Range in the segment's text, counted in Unicode code points as the server does. */
  char_start: number;
  char_end: number;
  /** In fractions of the page image, 0..1. */
  boxes: Box[];
}

export interface Citation {
  number: number;
  /** Null, or of a passage that is gone, once its material was read anew: the locator still says where. */
  passage_id: string | null;
  label: string;
  quote: string;
  locator: Locator;
}

export interface User {
  id: string;
  email: string;
  name: string;
}

export type Registration = "open" | "invite" | "closed";

export interface Session {
  user: User;
  registration: Registration;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  total?: number | null;
}

export interface CourseClass {
  id: string;
  name: string;
  description: string | null;
  material_count: number;
}

export type MaterialStatus = "queued" | "processing" | "searchable" | "ready" | "failed" | "cancelled";

export interface Progress {
  done: number;
  total: number | null;
  message: string | null;
}

export interface Material {
  id: string;
  class_id: string;
  title: string;
  kind: string;
  status: MaterialStatus;
  error: string | null;
  /** What was left out while it was read. */
  notice?: string | null;
  /** page, slide, section or span. */
  segment_kind?: string | null;
  duration_seconds?: number | null;
  page_count: number | null;
  progress: Progress | null;
  job_id: string | null;
  created_at: string;
}

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface JobEvent {
  job_id: string;
  status: JobStatus;
  done: number;
  total: number | null;
  message: string | null;
  error: string | null;
}

export interface ConversationItem {
  id: string;
  /** The name this page gave it; a run continues a conversation by this name. */
  thread_id?: string | null;
  title: string | null;
  class_id: string | null;
  updated_at: string;
}

export type MessageStatus = "complete" | "interrupted" | "cancelled" | "failed";

export interface StoredMessage {
  id: string;
  role: "user" | "assistant";
  text: string;
  citations: Citation[];
  status: MessageStatus;
  run_id: string | null;
  created_at: string;
}

export interface Conversation extends ConversationItem {
  /** In reading order, the newest ones first to come; the cursor leads to older ones. */
  messages: StoredMessage[];
  active_run_id: string | null;
  next_cursor: string | null;
}

export interface Place {
  material_id: string;
  page?: number | null;
  slide?: number | null;
  segment?: number | null;
}

/** A spoken sentence: characters of the segment's text, and when it is heard, in seconds. */
export interface Sentence {
  text: string;
  t_start: number;
  t_end: number;
  char_start: number;
  char_end: number;
}

export interface Figure {
  label: string | null;
  caption: string | null;
  url: string;
}

export interface Passage {
  locator: Locator;
  text: string;
  segment_text: string;
  image_url: string | null;
  media_url?: string | null;
  /** Where it was fetched from, at this place where its site can be opened so. */
  source_url?: string | null;
  sentences?: Sentence[];
  figures?: Figure[];
  /** What of it could not be read. */
  notice?: string | null;
  previous: Place | null;
  next: Place | null;
  material: { id: string; title: string; kind: string; page_count: number | null };
}

export interface Uploaded {
  material_id: string;
  job_id: string | null;
  duplicate: boolean;
}

export interface NoteItem {
  id: string;
  title: string;
  type: string;
  class_id: string | null;
  updated_at: string;
  /** How far the job is, while the note is unfinished. */
  making: Making | null;
}

export interface Note extends NoteItem {
  /** Markdown with `[n]` for its sources. */
  text: string;
  sources: Citation[];
}

/** Notes that are being made: the job, and the note they will be in. */
export interface NotesJob {
  job_id: string;
  note_id: string | null;
}
