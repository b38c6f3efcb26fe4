// How each of the seven types of question is answered, and how a grade is shown.
import { useEffect, useRef } from "preact/hooks";
import type { AskedQuestion, QuestionResult, Response } from "../../src/api/study";
import { Choices, Matching, Ordering, TRUTH } from "../../src/ui/answering";
import { Source, useSession, written } from "./page";
import { Text } from "./text";

/** Text that is being typed is stored when it rests this long, not only when its field is left. */
const REST_MS = 700;

interface Props {
  question: AskedQuestion;
  onAnswer: (response: Response) => void;
}

interface QuestionProps extends Props {
  /** In practice: have the answer graded, for good. */
  onCheck: (() => void) | null;
  checking: boolean;
}

export function Question({ question, onAnswer, onCheck, checking }: QuestionProps) {
  const graded = question.result != null;
  // No form: hosts may show the page in a frame that is not allowed any.
  return (
    <fieldset
      class="question"
      data-testid="question"
      data-type={question.type}
      disabled={graded || checking}
      onKeyDown={({ key, target }) => key === "Enter" && target instanceof HTMLInputElement && onCheck?.()}
    >
      <legend>
        <Text text={question.text} />
      </legend>
      <Answer question={question} onAnswer={onAnswer} />
      {onCheck && !graded && (
        <button type="button" class="plain check" data-testid="check-answer" onClick={onCheck}>
          Check the answer
        </button>
      )}
    </fieldset>
  );
}

function Answer(props: Props) {
  const { question, onAnswer } = props;
  const { response } = question;
  const choice = { Text, name: `question-${question.number}`, hint: "Choose all that are right." };
  switch (question.type) {
    case "multiple_choice":
      return <Choices {...choice} options={question.options} type="radio" chosen={typeof response === "string" ? [response] : []} onChange={([id]) => id && onAnswer(id)} />;
    case "multiple_answer":
      return <Choices {...choice} options={question.options} type="checkbox" chosen={listed(response)} onChange={onAnswer} />;
    case "true_false":
      return <Choices {...choice} options={TRUTH} type="radio" chosen={typeof response === "boolean" ? [String(response)] : []} onChange={([id]) => onAnswer(id === "true")} />;
    case "cloze":
      return <Gaps {...props} />;
    case "short_answer":
      return <Typed label="Your answer" testid="answer-text" value={typeof response === "string" ? response : ""} most={4000} onText={onAnswer} />;
    case "matching":
      return <Matching {...props} Text={Text} />;
    case "ordering":
      return <Ordering {...props} Text={Text} mover="plain" />;
  }
}

const listed = (response: Response | null): string[] => (Array.isArray(response) ? response : []);

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
