// Tests: their list in the sidebar, and the open one: what it is, taking it, its result.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isUnderWay, type TestDetails } from "../api/study";
import { useApp } from "../state/app";
import type { TestView } from "../state/tests";
import { clock } from "../state/uploads";
import { Shares } from "./answering";
import { Icon } from "./icons";
import { MadeItems, MakeForm, NewButton, NumberField } from "./Made";
import { Pane, RemoveButton } from "./Pane";
import { Graded, Question } from "./Question";

export function TestsSection() {
  const { tests, drawerOpen, library, pane } = useApp();
  const making = useSignal(false);
  const view = tests.view.value;
  useEffect(() => void tests.list.load(), [library.classId.value]);
  return (
    <section class="made" aria-label="Tests">
      <div class="section-head">
        <h2>Tests</h2>
        <NewButton what="test" expanded={making.value} onClick={() => (making.value = !making.value)} />
      </div>
      {making.value && <TestForm onDone={() => (making.value = false)} />}
      <MadeItems
        list={tests.list}
        icon="test"
        testid="test"
        empty="Made from your material, each question with its page."
        current={pane.kind.value === "test" && view?.state === "overview" ? view.test.id : undefined}
        badge={(test) => (test.best ? `${Math.round(test.best.percent ?? 0)} %` : null)}
        onOpen={(test, opener) => {
          drawerOpen.value = false;
          void tests.open(test.id, opener);
        }}
      />
    </section>
  );
}

const TYPES: [string, string][] = [
  ["multiple_choice", "Multiple choice"],
  ["multiple_answer", "Several right answers"],
  ["true_false", "True or false"],
  ["cloze", "Gaps"],
  ["short_answer", "Short answer"],
  ["matching", "Matching"],
  ["ordering", "Ordering"],
];

function TestForm({ onDone }: { onDone: () => void }) {
  const { tests } = useApp();
  const onSubmit = (args: Record<string, unknown>, fields: FormData): Promise<boolean> => {
    const types = fields.getAll("type");
    const minutes = Number(fields.get("minutes"));
    return tests.make({
      ...args,
      count: Number(fields.get("count")) || 10,
      difficulty: fields.get("difficulty"),
      ...(types.length > 0 ? { types } : {}),
      ...(minutes > 0 ? { time_limit_minutes: minutes } : {}),
      ...(fields.get("wrong") ? { from_wrong_answers: true } : {}),
    });
  };
  return (
    <MakeForm what="test" onSubmit={onSubmit} onDone={onDone}>
      <NumberField id="lyceum-test-count" name="count" label="Questions" value={10} max={300} />
      <label for="lyceum-test-difficulty">Difficulty</label>
      <select id="lyceum-test-difficulty" name="difficulty">
        <option value="mixed">Mixed</option>
        <option value="easy">Easy</option>
        <option value="medium">Medium</option>
        <option value="hard">Hard</option>
      </select>
      <NumberField id="lyceum-test-minutes" name="minutes" label="Minutes, if there is to be a limit" max={600} />
      <label class="check">
        <input type="checkbox" name="wrong" /> About what I got wrong
      </label>
      <details>
        <summary>Kinds of question</summary>
        {TYPES.map(([value, label]) => (
          <label class="check" key={value}>
            <input type="checkbox" name="type" value={value} /> {label}
          </label>
        ))}
      </details>
    </MakeForm>
  );
}

export function TestPane() {
  const { tests } = useApp();
  const view = tests.view.value;
  if (!view) return null;
  switch (view.state) {
    case "overview":
      return <Overview key={view.test.id} test={view.test} />;
    case "taking":
      return <Taking key={view.attempt.attempt_id} view={view} />;
    case "result":
      return <Result key={`${view.result.attempt_id} result`} view={view} />;
  }
}

function Overview({ test }: { test: TestDetails }) {
  const { tests } = useApp();
  const remove = test.own && <RemoveButton what={`the test ${test.title}`} onClick={() => void tests.remove(test)} />;
  const limit = test.time_limit_seconds;
  const turnedAway = Object.values(test.rejected).reduce((sum, count) => sum + count, 0);
  return (
    <Pane kind="test" title={test.title} actions={remove}>
      <p data-testid="test-facts">
        {test.question_count} questions, {points(test.total_points)}
        {limit ? `, ${Math.round(limit / 60)} minutes` : ""}.
        {turnedAway > 0 && ` ${turnedAway} other candidates were turned away.`}
      </p>
      {test.notice && <p class="hint">{test.notice}</p>}
      {isUnderWay(test.making) && <p class="hint">More questions are being made. You can begin with these.</p>}
      <div class="row choices">
        <button
          type="button"
          class="primary"
          disabled={test.question_count === 0}
          data-testid="test-start"
          onClick={() => void tests.start(test.id, "at_end")}
        >
          {test.open_attempt_id ? "Go on" : "Take the test"}
        </button>
        {!test.open_attempt_id && (
          <button
            type="button"
            class="quiet"
            disabled={test.question_count === 0}
            data-testid="test-practise"
            onClick={() => void tests.start(test.id, "at_once")}
          >
            Practise, with answers at once
          </button>
        )}
      </div>
      {test.results.length > 0 && (
        <>
          <h3>Your results</h3>
          <ul class="results">
            {test.results.map((one) => (
              <li key={one.attempt_id}>
                <button type="button" class="quiet" onClick={() => void tests.result(test.id, one.attempt_id)}>
                  {new Date(one.started_at).toLocaleString()}: {one.percent === null ? one.status : `${Math.round(one.percent)} %`}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Pane>
  );
}

function Taking({ view }: { view: Extract<TestView, { state: "taking" }> }) {
  const { tests } = useApp();
  const { attempt } = view;
  const over = useSignal(false);
  const handIn = (
    <button type="button" class="primary" disabled={view.unsaved > 0} data-testid="test-submit" onClick={() => void tests.submit()}>
      Hand in
    </button>
  );
  return (
    <Pane kind="test" title={attempt.title} keepsEscape>
      <div class="test-state" role="status">
        <span data-testid="test-answered">
          {attempt.answered_count} of {attempt.question_count} answered{view.unsaved > 0 ? ", saving…" : ""}
        </span>
        {view.endsAt !== null && (
          <TimeLeft
            endsAt={view.endsAt}
            onOver={() => {
              if (over.value) return;
              over.value = true;
              void tests.submit();
            }}
          />
        )}
      </div>
      {view.error && (
        <p class="ending failed" role="alert">
          <Icon name="warn" size={18} /> <span>{view.error}</span>
        </p>
      )}
      <ol class="exercises">
        {attempt.questions.map((question) => (
          <li key={question.number}>
            <Question
              question={question}
              onAnswer={(response) => void tests.answer(question, response)}
              onCheck={attempt.feedback === "at_once" ? () => void tests.check(question.number) : null}
              saving={view.unsaved > 0}
            />
          </li>
        ))}
      </ol>
      <div class="row end">{handIn}</div>
    </Pane>
  );
}

function TimeLeft({ endsAt, onOver }: { endsAt: number; onOver: () => void }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
      if (now.value >= endsAt) onOver();
    }, 500);
    return () => clearInterval(timer);
  }, [endsAt]);
  return <span data-testid="test-time">{clock(Math.max(0, Math.round((endsAt - now.value) / 1000)))} left</span>;
}

function Result({ view }: { view: Extract<TestView, { state: "result" }> }) {
  const { tests } = useApp();
  const { result } = view;
  const back = result.test_id && (
    <button type="button" class="quiet" onClick={() => void tests.open(result.test_id ?? "")}>
      To the test
    </button>
  );
  return (
    <Pane kind="test" title={result.title} actions={back}>
      <p class="score" data-testid="test-score">
        <strong>{Math.round(result.percent ?? 0)} %</strong> {result.score} of {points(result.max_score ?? 0)}: {result.right} right
        {result.partial > 0 && `, ${result.partial} in part`}, {result.wrong} wrong
        {result.unanswered > 0 && `, ${result.unanswered} not answered`}
      </p>
      {result.by_topic.length > 1 && <Shares shares={result.by_topic} kind="shares" />}
      <ol class="exercises">
        {result.questions.map((question) => (
          <li key={question.number}>
            <Graded question={question} />
          </li>
        ))}
      </ol>
    </Pane>
  );
}

const points = (count: number): string => `${Number(count.toFixed(2))} ${count === 1 ? "point" : "points"}`;
