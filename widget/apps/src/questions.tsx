// How each of the seven types of question is answered, and how a grade is shown.
import { useEffect, useRef } from "preact/hooks";
import type { AskedQuestion, Choice, QuestionResult, Response } from "../../src/api/study";
import { Source, useSession, written } from "./page";
import { Text } from "./text";

/** Text that is being typed is stored when it rests this long, not only when its field is left. */
const REST_MS = 700;

interface Props {
  question: AskedQuestion;
  onAnswer: (response: Response) => void;
}

export function Question({ question, onAnswer }: Props) {
  const locked = question.result !== null && question.result !== undefined;
  return (
    <fieldset class="question" data-testid="question" data-type={question.type} disabled={locked}>
      <legend>
        <Text text={question.text} />
      </legend>
      <Answer question={question} onAnswer={onAnswer} />
    </fieldset>
  );
}

function Answer(props: Props) {
  const { question, onAnswer } = props;
  const { response } = question;
  switch (question.type) {
    case "multiple_choice":
      return <Choices {...props} options={question.options} type="radio" chosen={typeof response === "string" ? [response] : []} onChange={([id]) => id && onAnswer(id)} />;
    case "multiple_answer":
      return <Choices {...props} options={question.options} type="checkbox" chosen={listed(response)} onChange={onAnswer} />;
    case "true_false":
      return <Choices {...props} options={TRUTH} type="radio" chosen={typeof response === "boolean" ? [String(response)] : []} onChange={([id]) => onAnswer(id === "true")} />;
    case "cloze":
      return <Gaps {...props} />;
    case "short_answer":
      return <Typed label="Your answer" testid="answer-text" value={typeof response === "string" ? response : ""} most={4000} onText={onAnswer} />;
    case "matching":
      return <Matching {...props} />;
    case "ordering":
      return <Ordering {...props} />;
  }
}

const TRUTH: Choice[] = [
  { id: "true", text: "True" },
  { id: "false", text: "False" },
];

const listed = (response: Response | null): string[] => (Array.isArray(response) ? response : []);

interface ChoicesProps extends Props {
  options: Choice[];
  type: "radio" | "checkbox";
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

function Choices({ question, options, type, chosen, onChange }: ChoicesProps) {
  const pick = (id: string, on: boolean): void => {
    if (type === "radio") onChange([id]);
    else onChange(on ? [...chosen, id] : chosen.filter((one) => one !== id));
  };
  return (
    <div class="options">
      {type === "checkbox" && <p class="quiet">Choose all that are right.</p>}
      {options.map((option) => (
        <label class="option" key={option.id}>
          <input
            type={type}
            name={`question-${question.number}`}
            data-testid="option"
            checked={chosen.includes(option.id)}
            onChange={(event) => pick(option.id, event.currentTarget.checked)}
          />
          <Text text={option.text} />
        </label>
      ))}
    </div>
  );
}

interface TypedProps {
  label: string;
  testid: string;
  value: string;
  most: number;
  onText: (text: string) => void;
}

function Typed({ label, testid, value, most, onText }: TypedProps) {
  const { typing } = useSession();
  const field = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  const resting = useRef(0);
  const tell = (): void => {
    clearTimeout(resting.current);
    const text = field.current?.value ?? told.current;
    if (text === told.current) return;
    told.current = text;
    onText(text);
  };
  useEffect(() => {
    typing.add(tell);
    return () => void typing.delete(tell);
  });
  useEffect(() => () => clearTimeout(resting.current), []);
  return (
    <label class="typed">
      {label}
      <input
        ref={field}
        defaultValue={value}
        maxLength={most}
        autocomplete="off"
        data-testid={testid}
        onInput={() => {
          clearTimeout(resting.current);
          resting.current = window.setTimeout(tell, REST_MS);
        }}
        onBlur={tell}
        onKeyDown={(event) => event.key === "Enter" && tell()}
      />
    </label>
  );
}

function Gaps({ question, onAnswer }: Props) {
  const given = listed(question.response);
  // The other gaps as they stand now, also when they were typed after this was drawn.
  const texts = useRef(Array.from({ length: question.gaps }, (_, index) => given[index] ?? ""));
  return (
    <div class="gaps">
      {texts.current.map((text, index) => (
        <Typed
          key={index}
          label={`Gap ${index + 1}`}
          testid="answer-gap"
          value={text}
          most={500}
          onText={(typed) => {
            texts.current[index] = typed;
            onAnswer([...texts.current]);
          }}
        />
      ))}
    </div>
  );
}

function Matching({ question, onAnswer }: Props) {
  const { response } = question;
  const pairs = typeof response === "object" && response !== null && !Array.isArray(response) ? response : {};
  const change = (left: string, right: string): void => {
    const { [left]: _, ...others } = pairs;
    onAnswer(right ? { ...others, [left]: right } : others);
  };
  return (
    <div class="matching">
      {question.options.map((left) => (
        <div class="pair" key={left.id}>
          <Text text={left.text} />
          <select
            aria-label={`Belongs to ${left.text}`}
            data-testid="answer-match"
            value={pairs[left.id] ?? ""}
            onChange={(event) => change(left.id, event.currentTarget.value)}
          >
            <option value="">Choose…</option>
            {question.right.map((right) => (
              <option key={right.id} value={right.id}>
                {right.text}
              </option>
            ))}
          </select>
        </div>
      ))}
    </div>
  );
}

function Ordering({ question, onAnswer }: Props) {
  const given = listed(question.response);
  const ids = given.length > 0 ? given : question.options.map((one) => one.id);
  const texts = new Map(question.options.map((one) => [one.id, one.text]));
  const move = (from: number, to: number): void => {
    const order = [...ids];
    const [moved] = order.splice(from, 1);
    if (moved !== undefined) order.splice(to, 0, moved);
    onAnswer(order);
  };
  const button = (id: string, from: number, to: number, way: string, sign: string) => (
    <button
      type="button"
      class="plain"
      aria-label={`Move ${way}: ${texts.get(id) ?? id}`}
      disabled={to < 0 || to >= ids.length}
      data-testid={`move-${way}`}
      onClick={() => move(from, to)}
    >
      {sign}
    </button>
  );
  return (
    <>
      <ol class="ordering">
        {ids.map((id, index) => (
          <li key={id}>
            <Text text={texts.get(id) ?? id} />
            {button(id, index, index - 1, "up", "↑")}
            {button(id, index, index + 1, "down", "↓")}
          </li>
        ))}
      </ol>
      {given.length === 0 && (
        <button type="button" class="plain" data-testid="keep-order" onClick={() => onAnswer(ids)}>
          This order is right
        </button>
      )}
    </>
  );
}

const OUTCOMES = { right: "Right", partial: "Partly right", wrong: "Wrong", unanswered: "Not answered" };

/** The grade of one answer, how it came about, the key, and where the material says it. */
export function Grade({ question }: { question: QuestionResult }) {
  const { host } = useSession();
  const { locale } = host.context;
  return (
    <div class={`grade ${question.outcome}`} role="status" data-testid="grade" data-outcome={question.outcome}>
      <p>
        <strong>{OUTCOMES[question.outcome]}</strong>, {written(question.earned, locale)} of {written(question.points, locale)}.{" "}
        {question.grading_explanation}
      </p>
      {question.outcome !== "right" && (
        <div class="key">
          <span class="quiet">Right is</span> <Text text={question.answer_text} />
        </div>
      )}
      {question.explanation && <Text text={question.explanation} />}
      <Source evidence={question.evidence} />
    </div>
  );
}

export function Graded({ question }: { question: QuestionResult }) {
  return (
    <li class="graded" value={question.number} data-testid="graded" data-outcome={question.outcome}>
      <Text text={question.text} />
      {question.given && (
        <div class="key">
          <span class="quiet">Your answer</span> <Text text={question.given} />
        </div>
      )}
      <Grade question={question} />
    </li>
  );
}
