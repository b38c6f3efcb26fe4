// Takes a test, one question after the other, and shows its result. Every answer is stored when it is given, so a page that
// is loaded again goes on where it was.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Answered, type AskedQuestion, type Attempt, type AttemptResult, isUnchecked, type Response, type TestDetails } from "../../src/api/study";
import { Shares } from "../../src/ui/answering";
import { Refusal } from "./host";
import { ModeButton, Problem, sentence, type Session, type Shown, start, useDoing, useSession, Waiting, written } from "./page";
import { Grade, Graded, Question } from "./questions";

const PAGE = 50;

type View =
  | { state: "overview"; test: TestDetails }
  | { state: "taking"; attempt: Attempt; endsAt: number | null }
  | { state: "result"; result: AttemptResult };

type Feedback = Attempt["feedback"];

function Quiz({ shown }: { shown: Shown<Attempt | TestDetails> }) {
  const session = useSession();
  const [view, setView] = useState<View | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const show = (looking: Promise<View>): Promise<void> => looking.then(setView, (error: unknown) => setProblem(sentence(error)));
  useEffect(() => void show(standing(session, shown)), []);
  if (problem) return <Problem text={problem} />;
  if (!view) return <Waiting />;
  switch (view.state) {
    case "overview":
      return <Overview test={view.test} onStart={(feedback) => show(begun(session, view.test.id, feedback))} />;
    case "taking":
      return <Taking view={view} onDone={(result) => setView({ state: "result", result })} />;
    case "result":
      return <Result result={view.result} onAgain={(testId) => show(overview(session, testId))} />;
  }
}

/** How things stand now, whatever the answer said that the page was opened with: it may be days old. */
async function standing(session: Session, { args, data }: Shown<Attempt | TestDetails>): Promise<View> {
  if (!("attempt_id" in data)) {
    const wanted = typeof args["attempt_id"] === "string" ? args["attempt_id"] : null;
    return wanted && data.result ? resultOf(session, data.id, wanted) : overview(session, data.id, data);
  }
  if (!data.test_id) return taking(data);
  const test = await session.call<TestDetails>("get_test", { test_id: data.test_id, limit: 1 });
  if (test.open_attempt_id === data.attempt_id) return begun(session, data.test_id, data.feedback);
  const isGraded = test.results.some((one) => one.attempt_id === data.attempt_id);
  return isGraded ? resultOf(session, data.test_id, data.attempt_id) : { state: "overview", test };
}

async function overview(session: Session, testId: string, known?: TestDetails): Promise<View> {
  try {
    return { state: "overview", test: await session.call<TestDetails>("get_test", { test_id: testId, limit: 1 }) };
  } catch (error) {
    if (known) return { state: "overview", test: known };
    throw error;
  }
}

/** Begins an attempt, or goes on with the one that is open. */
async function begun(session: Session, testId: string, feedback: Feedback): Promise<View> {
  const args = { test_id: testId, feedback, limit: PAGE };
  const attempt = await session.call<Attempt>("start_test", args);
  await whole(attempt, (cursor) => session.call<Attempt>("start_test", { ...args, cursor }));
  return taking(attempt);
}

const taking = (attempt: Attempt): View => ({ state: "taking", attempt, endsAt: endOf(attempt.seconds_left) });

const endOf = (left: number | null | undefined): number | null => (left == null ? null : Date.now() + 1000 * left);

async function resultOf(session: Session, testId: string, attemptId: string): Promise<View> {
  const read = async (more: object): Promise<AttemptResult> => {
    const test = await session.call<TestDetails>("get_test", { test_id: testId, attempt_id: attemptId, limit: PAGE, ...more });
    if (!test.result) throw new Refusal("This attempt has no result.");
    return test.result;
  };
  const result = await read({});
  await whole(result, (cursor) => read({ cursor }));
  return { state: "result", result };
}

async function submitted(session: Session, attemptId: string): Promise<AttemptResult> {
  const args = { attempt_id: attemptId, limit: PAGE };
  const result = await session.call<AttemptResult>("submit_test", args);
  await whole(result, (cursor) => session.call<AttemptResult>("submit_test", { ...args, cursor }));
  return result;
}

interface Paged {
  questions: unknown[];
  next_cursor: string | null;
}

/** Fills in the pages after the first. */
async function whole<T extends Paged>(first: T, next: (cursor: string) => Promise<T>): Promise<void> {
  while (first.next_cursor) {
    const more = await next(first.next_cursor);
    first.questions.push(...more.questions);
    first.next_cursor = more.next_cursor;
  }
}

function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header>
      <h1>{title}</h1>
      {children}
      <ModeButton />
    </header>
  );
}

function Overview({ test, onStart }: { test: TestDetails; onStart: (feedback: Feedback) => Promise<void> }) {
  const { host } = useSession();
  const { locale } = host.context;
  const { busy, doing } = useDoing();
  const limit = test.time_limit_seconds;
  const none = test.question_count === 0;
  return (
    <section aria-label="Test">
      <Heading title={test.title} />
      <p data-testid="facts">
        {test.question_count} questions, {written(test.total_points, locale)} points{limit ? `, ${written(limit / 60, locale)} minutes` : ""}.
        {test.best?.percent != null && ` Your best result: ${percent(test.best.percent, locale)}.`}
      </p>
      {test.notice && <p class="quiet">{test.notice}</p>}
      <div class="row">
        <button type="button" class="main" disabled={busy || none} data-testid="start" onClick={() => void doing(() => onStart("at_end"))}>
          {test.open_attempt_id ? "Go on" : "Take the test"}
        </button>
        {!test.open_attempt_id && (
          <button type="button" class="plain" disabled={busy || none} data-testid="practise" onClick={() => void doing(() => onStart("at_once"))}>
            Practise, with answers at once
          </button>
        )}
      </div>
    </section>
  );
}

interface TakingProps {
  view: Extract<View, { state: "taking" }>;
  onDone: (result: AttemptResult) => void;
}

function Taking({ view, onDone }: TakingProps) {
  const session = useSession();
  const { attempt } = view;
  const [questions, setQuestions] = useState(attempt.questions);
  const [at, setAt] = useState(() => Math.max(0, attempt.questions.findIndex((one) => one.response == null)));
  const [answered, setAnswered] = useState(attempt.answered_count);
  const [endsAt, setEndsAt] = useState(view.endsAt);
  const [underWay, setUnderWay] = useState<number[]>([]);
  const [asking, setAsking] = useState(false);
  const saving = useRef<Promise<void>>(Promise.resolve());
  /** What was answered and is not stored yet. */
  const unsent = useRef(new Map<number, Response>());
  const warned = useRef(false);
  const [ending, setEnding] = useState(false);
  const { problem, doing } = useDoing();
  const practises = attempt.feedback === "at_once";

  const change = (number: number, part: Partial<AskedQuestion>): void =>
    setQuestions((all) => all.map((one) => (one.number === number ? { ...one, ...part } : one)));
  const handIn = (): Promise<void> => {
    setEnding(true);
    return doing(async () => {
      await sent();
      if (unsent.current.size > 0 && !warned.current) {
        warned.current = true;
        throw new Refusal("Not every answer could be stored, so the test is not handed in yet. Hand it in once more to leave them out.");
      }
      const result = await submitted(session, attempt.attempt_id);
      void session.host.tellModel(`In the quiz the student handed in the test: ${result.right} right, ${result.partial} in part, ${result.wrong} wrong, ${result.unanswered} not answered.`);
      onDone(result);
    }).finally(() => setEnding(false));
  };
  const save = async (number: number, response: Response): Promise<void> => {
    const args = { attempt_id: attempt.attempt_id, number, response };
    try {
      const stored = await session.call<Answered>("answer_question", args);
      setAnswered(stored.answered_count);
      setEndsAt(endOf(stored.seconds_left));
      if (stored.result) change(number, { result: stored.result });
    } catch (error) {
      if (error instanceof Refusal && (error.code === "time_is_up" || error.code === "attempt_over")) onDone(await submitted(session, attempt.attempt_id));
      else throw error;
    }
  };
  /** One after the other, so that the last answer is the one that stands. */
  const store = (number: number): void => {
    setUnderWay((all) => [...all, number]);
    const before = saving.current;
    saving.current = doing(async () => {
      await before;
      const response = unsent.current.get(number);
      if (response === undefined) return;
      await save(number, response);
      if (unsent.current.get(number) === response) unsent.current.delete(number);
    }).finally(() => setUnderWay(([, ...later]) => later));
  };
  const sent = (): Promise<void> => {
    for (const number of unsent.current.keys()) store(number);
    return saving.current;
  };
  /** In practice an answer is graded when it is stored, so it waits until it is checked, or its question is left. */
  const answer = ({ number }: AskedQuestion, response: Response): void => {
    change(number, { response });
    setAsking(false);
    unsent.current.set(number, response);
    if (!practises) store(number);
  };
  const check = (one: AskedQuestion): void => {
    if (isUnchecked(one) && !unsent.current.has(one.number)) unsent.current.set(one.number, one.response);
    void sent();
  };
  const go = (to: number): void => {
    void sent();
    setAt(to);
  };
  session.leaving = sent;

  const question = questions[at];
  const missing = questions.length - questions.filter((one) => one.response != null).length;
  return (
    <section aria-label="Test">
      <Heading title={attempt.title}>{endsAt !== null && <TimeLeft endsAt={endsAt} onOver={() => void handIn()} />}</Heading>
      <progress max={attempt.question_count} value={answered} aria-label="Questions answered" />
      <p class="quiet" role="status" data-testid="answered">
        Question {at + 1} of {attempt.question_count}. {answered} answered{underWay.length > 0 ? ", saving…" : ""}
      </p>
      {problem && <Problem text={problem} />}
      {question && (
        <Question
          key={question.number}
          question={question}
          onAnswer={(response) => answer(question, response)}
          onCheck={practises ? () => check(question) : null}
          checking={practises && underWay.includes(question.number)}
        />
      )}
      {question?.result && <Grade question={question.result} />}
      <nav class="row" aria-label="Questions">
        <button type="button" class="plain" disabled={at === 0} data-testid="previous" onClick={() => go(at - 1)}>
          Back
        </button>
        <button type="button" class={missing > 0 ? "main" : "plain"} disabled={at + 1 >= questions.length} data-testid="next" onClick={() => go(at + 1)}>
          Next
        </button>
        <button
          type="button"
          class={missing === 0 ? "main end" : "plain end"}
          // Open while an answer is being stored: leaving a field stores it, and the click that left the field must count.
          disabled={ending}
          data-testid="submit"
          onClick={() => (missing > 0 && !asking ? setAsking(true) : void handIn())}
        >
          {asking && missing > 0 ? `Yes, with ${missing} open` : "Hand in"}
        </button>
      </nav>
      {asking && missing > 0 && (
        <p role="status" class="quiet">
          {missing === 1 ? "One question is" : `${missing} questions are`} not answered yet. Hand in all the same?
        </p>
      )}
    </section>
  );
}

function TimeLeft({ endsAt, onOver }: { endsAt: number; onOver: () => void }) {
  const [now, setNow] = useState(Date.now());
  const over = useRef(false);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() < endsAt || over.current) return;
      over.current = true;
      onOver();
    }, 500);
    return () => clearInterval(timer);
  }, [endsAt]);
  const left = Math.max(0, Math.round((endsAt - now) / 1000));
  return (
    <span class="quiet" data-testid="time">
      {Math.floor(left / 60)}:{String(left % 60).padStart(2, "0")} left
    </span>
  );
}

function Result({ result, onAgain }: { result: AttemptResult; onAgain: (testId: string) => Promise<void> }) {
  const { host } = useSession();
  const { locale } = host.context;
  const heading = useRef<HTMLParagraphElement>(null);
  useEffect(() => heading.current?.scrollIntoView?.({ block: "nearest" }), []);
  const { test_id } = result;
  return (
    <section aria-label="Result">
      <Heading title={result.title} />
      <p class="score" role="status" ref={heading} data-testid="score">
        <strong>{percent(result.percent ?? 0, locale)}</strong> {written(result.score ?? 0, locale)} of {written(result.max_score ?? 0, locale)} points:{" "}
        {result.right} right{result.partial > 0 && `, ${result.partial} in part`}, {result.wrong} wrong
        {result.unanswered > 0 && `, ${result.unanswered} not answered`}
      </p>
      {result.by_topic.length > 1 && <Shares shares={result.by_topic} kind="topics" />}
      <ol class="results">
        {result.questions.map((question) => (
          <Graded key={question.number} question={question} />
        ))}
      </ol>
      {test_id && (
        <button type="button" class="plain" data-testid="again" onClick={() => void onAgain(test_id)}>
          To the test
        </button>
      )}
    </section>
  );
}

const percent = (value: number, locale: string | undefined): string =>
  written(value / 100, locale, { style: "percent", maximumFractionDigits: 0 });

start("quiz", Quiz);
