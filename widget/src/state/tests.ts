// Tests: their list, and the open one: looked at, taken, or with its result.
import { signal } from "@preact/signals";
import { sentenceOf } from "../api/http";
import type {
  Answered,
  Appealed,
  AskedQuestion,
  Attempt,
  AttemptResult,
  QuestionResult,
  Response,
  TestDetails,
  TestItem,
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

  /** Stored at once; what could not be stored is said, and the answer stays on the page. */
  async answer(question: AskedQuestion, response: Response): Promise<void> {
    const before = this.view.value;
    if (before?.state !== "taking") return;
    this.change(question.number, { response }, +1, null);
    const args = { attempt_id: before.attempt.attempt_id, number: question.number, response };
    try {
      const answered = await this.app.api.tool<Answered>("answer_question", args);
      this.change(question.number, answered.result ? { result: answered.result } : {}, -1, null, answered);
    } catch (error) {
      this.change(question.number, {}, -1, sentenceOf(error));
    }
  }

  async submit(): Promise<void> {
    const view = this.view.value;
    if (view?.state !== "taking") return;
    await this.showResult(() => this.submitted("submit_test", { attempt_id: view.attempt.attempt_id }));
    await this.list.load();
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
