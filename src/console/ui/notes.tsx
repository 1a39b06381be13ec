/** Placeholders for pages that are empty, loading or failed. */
import { type ReactNode } from 'react';
import { ERRORS, isErrorCode } from '../../contract/errors.js';
import { type Failed, NoAnswer } from '../api/client.js';
import { signOnAddress } from '../api/sign-on.js';

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

const UNREACHABLE =
  'Check that the server runs and is reachable from this machine. The console keeps retrying.';

/** Replaces the contract's remedy, which is meant for programs. */
const FORBIDDEN = 'Ask an administrator for a token with a role that allows this.';

const LIMITED = 'Ask an administrator for access to all vehicle models.';

const AGAIN = 'You will return to this page; then repeat the action.';

function helpFor(error: Failed): string | undefined {
  if (error instanceof NoAnswer) return UNREACHABLE;
  if (error.code === 'FORBIDDEN') return FORBIDDEN;
  if (error.code === 'OUT_OF_SCOPE') return LIMITED;
  if (error.code === 'SIGN_IN_AGAIN') return AGAIN;
  return isErrorCode(error.code) && error.errors.length === 0
    ? ERRORS[error.code].remedy
    : undefined;
}

/** An error: what failed, where, and what to do. */
export function Failure({ error, retry }: { error: Failed; retry?: () => void }) {
  const { message } = error;
  const { code, errors } = error instanceof NoAnswer ? { code: 'NO_ANSWER', errors: [] } : error;
  const help = helpFor(error);
  return (
    <div className="failure" role="alert">
      <p>
        <b>{message}</b> <span className="code">{code}</span>
      </p>
      {errors.length > 0 && (
        <ul>
          {errors.map((fault) => (
            <li key={`${fault.path} ${fault.message}`}>
              <code>{fault.path === '' ? '/' : fault.path}</code> {fault.message}
            </li>
          ))}
        </ul>
      )}
      {help !== undefined && <p>{help}</p>}
      {code === 'SIGN_IN_AGAIN' && (
        <p>
          <a className="button" href={signOnAddress(true)}>
            Sign in again
          </a>
        </p>
      )}
      {retry && (
        <button type="button" onClick={retry}>
          Retry
        </button>
      )}
    </div>
  );
}

/** Reserves the space of content that is loading. */
export function Loading({ lines = 3 }: { lines?: number }) {
  return (
    <div className="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}

export interface Answer<T> {
  readonly data: T | undefined;
  readonly error: Failed | null;
  readonly refetch: () => unknown;
}

/** Combines two answers, so that the content shown first does not move when the other arrives. */
export function together<A, B>(one: Answer<A>, other: Answer<B>): Answer<readonly [A, B]> {
  const isComplete = one.data !== undefined && other.data !== undefined;
  return {
    data: isComplete ? ([one.data, other.data] as const) : undefined,
    error: one.error ?? other.error,
    refetch: () => [one.refetch(), other.refetch()],
  };
}

/** Shows an answer, its failure or a placeholder. A shown answer stays if refetching it fails. */
export function Answered<T>({
  answer,
  lines,
  children,
}: {
  answer: Answer<T>;
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  const { data, error, refetch } = answer;
  if (data !== undefined) return children(data);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return <Loading {...(lines === undefined ? {} : { lines })} />;
}
