'use client';

import { useEffect, useId, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { AccountForm, TITLES, type AccountPage } from './account-form';

interface Props {
  page: AccountPage;
  next: string;
  onClose: () => void;
}

/** The account form over the page. Escape and a click beside it close it, the browser keeps focus inside. */
export function AccountDialog({ page, next, onClose }: Props) {
  const [shown, setShown] = useState(page);
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
  }, []);

  useEffect(() => {
    dialog.current?.querySelector('input')?.focus(); // Else the close button would have it.
  }, [shown]);

  // In the body, so that the dialog is no part of the header it was opened from.
  return createPortal(
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onClose={onClose}
      onMouseDown={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <div className="dialog__body">
        <button className="dialog__close" type="button" aria-label="Close" onClick={() => dialog.current?.close()}>
          <span aria-hidden="true">×</span>
        </button>
        <h2 id={titleId}>{TITLES[shown]}</h2>
        <AccountForm key={shown} page={shown} next={next} onSwitch={setShown} />
      </div>
    </dialog>,
    document.body,
  );
}
