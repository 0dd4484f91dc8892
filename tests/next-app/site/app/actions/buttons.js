'use client';

import { useState } from 'react';

export default function Buttons({ say }) {
  const [answer, setAnswer] = useState('');
  return (
    <p>
      <button onClick={async () => setAnswer(JSON.stringify(await say('clicked')))}>ask</button>
      <output>{answer}</output>
    </p>
  );
}
