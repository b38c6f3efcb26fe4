// Tests: their list, and the open one: looked at, taken, or with its result.
import { signal } from "@preact/signals";
import { sentenceOf } from "../api/http";
import {
  type Answered,
  type Appealed,
  type AskedQuestion,
  type Attempt,
  type AttemptResult,
  isUnchecked,
  type QuestionResult,
  type Response,
  type TestDetails,
  type TestItem,
} from "../api/study";
import type { App } from "./app";
import { MadeList } from "./made";

export type TestView =
  | { state: "overview"; test: TestDetails }
  | { state: "taking"; attempt: Attempt; endsAt: number | null; unsaved: number; error: string | null }
  | { state: "result"; result: AttemptResult };

const PAGE = 100;

export class TestsState {
  readonly list: MadeList<TestItem>;
  readonly view = signal<TestView | null>(null);

  constructor(private readonly app: App) {
    this.list = new MadeList<TestItem>(app, "list_tests", (test) => {
      app.notice.value = {
        text: `“${test.title}” is ready: ${test.question_count} questions.`,
        action: { label: "Open", run: () => void this.open(test.id) },
      };
    });
  }

  clear(): void {
    this.list.clear();
    this.view.value = null;
  }

  async make(args: Record<string, unknown>): Promise<boolean> {
    const started = await this.app.try(() => this.app.api.tool<{ message: string }>("generate_test", args));
    if (!started) return false;
    this.app.notice.value = { text: started.message };
    await this.list.load();
    return true;
  }

  async open(id: string, opener: HTMLElement | null = null): Promise<void> {
    const test = await this.app.try(() => this.app.api.tool<TestDetails>("get_test", { test_id: id, limit: 1 }));
    if (!test) return;
    this.view.value = { state: "overview", test };
    this.app.pane.show("test", opener);
  }

  /** Begins an attempt, or goes on with the open one. */
  async start(testId: string, feedback: "at_end" | "at_once"): Promise<void> {
    const args = { test_id: testId, feedback, limit: PAGE };
    const attempt = await this.app.try(() => this.app.api.tool<Attempt>("start_test", args));
    if (!attempt) return;
    while (attempt.next_cursor) {
      const more = await this.app.try(() =>
        this.app.api.tool<Attempt>("start_test", { ...args, cursor: attempt.next_cursor }),
      );
      if (!more) return;
      attempt.questions.push(...more.questions);
      attempt.next_cursor = more.next_cursor;
    }
    const left = attempt.seconds_left;
    const endsAt = left === null ? null : Date.now() + 1000 * left;
    this.view.value = { state: "taking", attempt, endsAt, unsaved: 0, error: null };
  }

  /** Stored at once; in practice, where an answer is graded when it is stored, only by `check`. */
  async answer({ number }: AskedQuestion, response: Response): Promise<void> {
    const view = this.view.value;
    if (view?.state !== "taking") return;
    this.change(number, { response }, 0, null);
    if (view.attempt.feedback === "at_end") await this.store(view.attempt, number, response);
  }

  /** Stores what stands on the page as the answer, and shows its grade. */
  async check(number: number): Promise<void> {
    const view = this.view.value;
    const question = view?.state === "taking" && view.attempt.questions.find((one) => one.number === number);
    if (question && isUnchecked(question)) await this.store(view.attempt, number, question.response);
  }

  /** What could not be stored is said, and the answer stays on the page. */
  private async store(attempt: Attempt, number: number, response: Response): Promise<void> {
    this.change(number, {}, +1, null);
    const args = { attempt_id: attempt.attempt_id, number, response };
    try {
      const answered = await this.app.api.tool<Answered>("answer_question", args);
      this.change(number, answered.result ? { result: answered.result } : {}, -1, null, answered);
    } catch (error) {
      this.change(number, {}, -1, sentenceOf(error));
    }
  }

  async submit(): Promise<void> {
    const view = this.view.value;
    if (view?.state !== "taking") return;
    if (view.attempt.feedback === "at_once" && !(await this.checkAll(view.attempt, view.endsAt))) return;
    await this.showResult(() => this.submitted("submit_test", { attempt_id: view.attempt.attempt_id }));
    await this.list.load();
  }

  /** Whether the attempt can be handed in: an answer that could not be stored holds it back while there is time. */
  private async checkAll(attempt: Attempt, endsAt: number | null): Promise<boolean> {
    for (const { number } of attempt.questions.filter(isUnchecked)) await this.check(number);
    const view = this.view.value;
    const failed = view?.state === "taking" && view.error !== null;
    return !failed || (endsAt !== null && Date.now() >= endsAt);
  }

  async result(testId: string, attemptId: string): Promise<void> {
    await this.showResult(async () => {
      const args = { test_id: testId, attempt_id: attemptId, limit: PAGE };
      const test = await this.app.api.tool<TestDetails>("get_test", args);
      return test.result ?? Promise.reject(new TypeError("no result"));
    });
  }

  async appeal(question: QuestionResult, text: string): Promise<void> {
    const view = this.view.value;
    if (view?.state !== "result") return;
    const args = { attempt_id: view.result.attempt_id, number: question.number, text };
    const done = await this.app.try(() => this.app.api.tool<Appealed>("appeal_grade", args));
    if (!done) return;
    const questions = view.result.questions.map((one) => (one.number === question.number ? done.question : one));
    const { score, max_score, percent } = done;
    this.view.value = { state: "result", result: { ...view.result, questions, score, max_score, percent } };
    this.app.notice.value = { text: done.message };
  }

  async rate(question: QuestionResult, rating: number): Promise<void> {
    const args = { question_id: question.id, rating };
    const rated = await this.app.try(() => this.app.api.tool<{ retired: boolean }>("rate_item", args));
    if (!rated) return;
    const text = rated.retired ? "Thank you. It will not be asked again." : "Thank you.";
    this.app.notice.value = { text };
  }

  async remove(test: TestItem): Promise<void> {
    const done = await this.app.try(() => this.app.api.tool("delete_test", { test_id: test.id }));
    if (done === undefined) return;
    this.app.pane.close();
    this.app.offerUndo(test.title, test.id, () => this.list.load());
    await this.list.load();
  }

  private async submitted(tool: string, args: Record<string, unknown>): Promise<AttemptResult> {
    const result = await this.app.api.tool<AttemptResult>(tool, { ...args, limit: PAGE });
    while (result.next_cursor) {
      const page = { ...args, limit: PAGE, cursor: result.next_cursor };
      const more = await this.app.api.tool<AttemptResult>(tool, page);
      result.questions.push(...more.questions);
      result.next_cursor = more.next_cursor;
    }
    return result;
  }

  private async showResult(read: () => Promise<AttemptResult>): Promise<void> {
    const result = await this.app.try(read);
    if (result) this.view.value = { state: "result", result };
  }

  private change(
    number: number,
    change: Partial<AskedQuestion>,
    unsaved: number,
    error: string | null,
    answered?: Answered,
  ): void {
    const view = this.view.value;
    if (view?.state !== "taking") return;
    const questions = view.attempt.questions.map((one) => (one.number === number ? { ...one, ...change } : one));
    const count = answered?.answered_count ?? view.attempt.answered_count;
    const left = answered?.seconds_left ?? null;
    this.view.value = {
      ...view,
      attempt: { ...view.attempt, questions, answered_count: count },
      endsAt: left === null ? view.endsAt : Date.now() + 1000 * left,
      unsaved: view.unsaved + unsaved,
      error,
    };
  }
}
