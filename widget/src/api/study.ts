// Shapes of tests, cards and documents, as far as this page reads them.
import type { Citation, JobStatus, Locator } from "./types";

export interface Making {
  job_id: string;
  status: JobStatus;
  done: number;
  total: number | null;
  message: string | null;
}

export interface Choice {
  id: string;
  text: string;
}

/** What supports a key or a card. */
export interface Evidence {
  quote: string | null;
  label: string | null;
  locator: Locator | null;
}

export function citationOf(evidence: Evidence | null): Citation | null {
  if (!evidence?.locator) return null;
  const { locator, label, quote } = evidence;
  return { number: 1, passage_id: null, label: label ?? "", quote: quote ?? "", locator };
}

// --- tests

export type QuestionType =
  | "multiple_choice"
  | "multiple_answer"
  | "true_false"
  | "cloze"
  | "short_answer"
  | "matching"
  | "ordering";

export type Response = boolean | number | string | string[] | Record<string, string>;

export interface AttemptItem {
  attempt_id: string;
  status: "in_progress" | "submitted" | "graded" | "expired" | "abandoned";
  started_at: string;
  percent: number | null;
}

export interface TestItem {
  id: string;
  title: string;
  question_count: number;
  total_points: number;
  time_limit_seconds: number | null;
  own: boolean;
  making: Making | null;
  attempts: number;
  open_attempt_id: string | null;
  best: AttemptItem | null;
  last: AttemptItem | null;
}

export interface TestDetails extends TestItem {
  results: AttemptItem[];
  rejected: Record<string, number>;
  /** Why there are fewer than were asked for. */
  notice: string | null;
  result: AttemptResult | null;
}

export interface ShownQuestion {
  id: string | null;
  number: number;
  type: QuestionType;
  text: string;
  options: Choice[];
  right: Choice[];
  gaps: number;
  points: number;
  topic: string | null;
}

export interface AskedQuestion extends ShownQuestion {
  response: Response | null;
  result: QuestionResult | null;
}

/** In practice an answer is graded once, so it is sent when the student says so: nobody's half answer is graded. */
export const isUnchecked = (question: AskedQuestion): question is AskedQuestion & { response: Response } =>
  question.response != null && question.result == null;

export interface Appeal {
  status: "open" | "upheld" | "rejected";
  outcome: string | null;
}

export interface QuestionResult extends ShownQuestion {
  outcome: "right" | "partial" | "wrong" | "unanswered";
  earned: number;
  given: string | null;
  answer_text: string;
  explanation: string | null;
  evidence: Evidence | null;
  grading_explanation: string | null;
  appeal: Appeal | null;
}

export interface Attempt {
  attempt_id: string;
  test_id: string | null;
  title: string;
  status: AttemptItem["status"];
  feedback: "at_end" | "at_once";
  seconds_left: number | null;
  question_count: number;
  answered_count: number;
  questions: AskedQuestion[];
  next_cursor: string | null;
}

export interface Share {
  name: string;
  questions: number;
  right: number;
  percent: number;
}

export interface AttemptResult {
  attempt_id: string;
  test_id: string | null;
  title: string;
  score: number | null;
  max_score: number | null;
  percent: number | null;
  right: number;
  partial: number;
  wrong: number;
  unanswered: number;
  by_topic: Share[];
  questions: QuestionResult[];
  next_cursor: string | null;
}

export interface Answered {
  number: number;
  answered_count: number;
  seconds_left: number | null;
  result: QuestionResult | null;
}

export interface Appealed {
  message: string;
  question: QuestionResult;
  score: number;
  max_score: number;
  percent: number;
}

// --- cards

export interface DueCounts {
  new: number;
  learning: number;
  review: number;
  learning_later: number;
}

export interface DeckItem {
  id: string;
  title: string;
  card_count: number;
  is_mine: boolean;
  due: DueCounts;
  making: Making | null;
}

export interface CardItem {
  id: string;
  type: string;
  front: string;
  back: string;
  state: string;
  suspended: boolean;
  is_leech: boolean;
  evidence: Evidence | null;
}

export interface DeckStatistics {
  by_state: Record<string, number>;
  forecast: { day: string; due: number; learning: number }[];
  retention: { days: number; all: number | null };
  reviews_today: number;
}

export interface DeckDetails extends DeckItem {
  items: CardItem[];
  next_cursor: string | null;
  total: number;
  statistics: DeckStatistics | null;
}

export interface DeckList {
  items: DeckItem[];
  next_cursor: string | null;
  total: number;
  due: DueCounts;
}

export type Rating = "again" | "hard" | "good" | "easy";

export interface DueCard {
  id: string;
  deck_id: string;
  deck_title: string;
  type: "basic" | "reversed" | "cloze" | "multiple_choice";
  front: string;
  back: string;
  extra: string | null;
  options: Choice[];
  is_leech: boolean;
  next_intervals: Record<Rating, string>;
  evidence: Evidence | null;
  review_token: string;
}

export interface DueCards {
  items: DueCard[];
  due: DueCounts;
  next_due_at: string | null;
  message: string;
}

export interface Reviewed {
  message: string;
  is_leech: boolean;
  next_card: DueCard | null;
  due: DueCounts;
  next_due_at: string | null;
}

// --- documents

export type DocumentKind = "cheat_sheet" | "study_guide" | "summary" | "past_paper_answers" | "quiz_sheet";

export interface DocumentItem {
  id: string;
  title: string;
  kind: DocumentKind;
  version: number;
  status: string;
  page_count: number | null;
  is_own: boolean;
  making: Making | null;
}

export interface DocumentDetails extends DocumentItem {
  text: string;
  citations: (Evidence & { number: number; title: string })[];
  versions: { document_id: string; version: number; created_at: string }[];
  downloads: Record<string, string>;
}

export const isUnderWay = (making: Making | null | undefined): boolean =>
  making?.status === "queued" || making?.status === "running";

export const dueNow = (due: DueCounts): number => due.new + due.learning + due.review;
