import { cookies } from 'next/headers';

import Buttons from './buttons.js';
import { fail, goTo, measure, nothing, renew, say, stay } from './actions.js';

/** A form whose action is found by its id, with and without JavaScript. */
function Form({ id, action, children }) {
  return (
    <form id={id} action={action}>
      {children}
      <button>{id}</button>
    </form>
  );
}

export default async function Page() {
  const said = (await cookies()).get('said')?.value ?? 'nothing';
  return (
    <main>
      <h1>Said: {said}</h1>
      <Form id="say" action={say}>
        <input name="word" defaultValue="hello" />
      </Form>
      <Form id="stay" action={stay} />
      <Form id="renew" action={renew} />
      <Form id="go" action={goTo}>
        <input name="where" defaultValue="/dynamic?by=action" />
      </Form>
      <Form id="fail" action={fail} />
      <Form id="nothing" action={nothing} />
      <Form id="measure" action={measure}>
        <input name="file" type="file" />
      </Form>
      <Buttons say={say} />
    </main>
  );
}
