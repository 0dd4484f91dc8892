/** What became of a sign-in, registration or log-out; the message is for the visitor. */
export type Outcome = { success: true } | { success: false; message: string };

/** Longer than a busy gateway needs to check a password. */
const TIMEOUT_MS = 30_000;

/**
 * Posts JSON to one of the gateway's `/api/auth/*` routes.
 *
 * Never throws: a server that cannot be reached, or that answers something else than
 * JSON (a proxy's error page), becomes a message too.
 */
export async function postAccount(
  action: 'login' | 'register' | 'logout',
  body: Record<string, string>,
): Promise<Outcome> {
  let response: Response;
  try {
    response = await fetch(`/api/auth/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
    return failure(
      isTimeout
        ? 'The server took too long to answer. Please try again.'
        : 'The server cannot be reached. Check your connection and try again.',
    );
  }

  const answer = await answerOf(response);
  if (response.ok && answer?.status === 'success') return { success: true };
  return failure(withWait(answer?.message ?? explain(response.status), response));
}

interface Answer {
  status: unknown;
  message: string | undefined;
}

async function answerOf(response: Response): Promise<Answer | null> {
  try {
    const answer: unknown = await response.json();
    if (typeof answer !== 'object' || answer === null) return null;
    const { status, message } = answer as Record<string, unknown>;
    return { status, message: typeof message === 'string' && message ? message : undefined };
  } catch {
    return null;
  }
}

function explain(status: number): string {
  switch (status) {
    case 404:
      return 'Nobody answers here: accounts are kept by the gateway, and this page was opened without it.';
    case 429:
      return 'Too many attempts.';
    case 502:
    case 503:
    case 504:
      return 'Signing in is not possible at the moment. Please try again soon.';
    default:
      return `Something went wrong (status ${status}). Please try again.`;
  }
}

/** Adds how long to wait, where the answer says so (RFC 9110 §10.2.3, in seconds). */
function withWait(message: string, response: Response): string {
  const seconds = Number(response.headers.get('retry-after'));
  if (!Number.isInteger(seconds) || seconds < 1) return message;
  return `${message.replace(/\.?$/, '.')} Wait ${seconds === 1 ? 'a second' : `${seconds} seconds`} first.`;
}

function failure(message: string): Outcome {
  return { success: false, message };
}
