import { useId, type InputHTMLAttributes } from 'react';

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  name: string;
  hint?: string;
  /** Said below the field, which is then marked as wrong. */
  problem?: string;
  /** Id of a text elsewhere that is about this field too. */
  describedBy?: string;
}

/** An input with its label, and its hint or problem below. */
export function Field({ label, hint, problem, describedBy, ...input }: Props) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = problem ?? hint;
  const described = [note && noteId, describedBy].filter(Boolean).join(' ');

  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-invalid={problem ? true : undefined} aria-describedby={described || undefined} {...input} />
      {note && (
        <p className={problem ? 'field__problem' : 'field__hint'} id={noteId} role={problem ? 'alert' : undefined}>
          {note}
        </p>
      )}
    </div>
  );
}
