/** What is said where there is nothing to show yet, nothing at all, or something went wrong. */
import { type ReactNode } from 'react';
import { type ApiError } from '../api/client.js';

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

const HELP: Readonly<Record<number, string>> = {
  0: 'Check that the server runs and that this machine reaches it. It is tried again by itself.',
  403: 'Ask an administrator for a token with a role that may.',
  404: 'It may have been removed, or the address has a fault.',
  503: 'The database does not answer. What vehicles report is kept; it is tried again by itself.',
};

export function Failure({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div className="failure" role="alert">
      <p>
        <b>{error.message}</b> <span className="code">{error.code}</span>
      </p>
      {error.errors.length > 0 && (
        <ul>
          {error.errors.map(({ path, message }) => (
            <li key={`${path} ${message}`}>
              <code>{path === '' ? '/' : path}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {HELP[error.status] && <p>{HELP[error.status]}</p>}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Keeps the place of what is being asked for. */
export function Loading({ lines = 3 }: { lines?: number }) {
  return (
    <div className="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}

interface Answer<T> {
  readonly data: T | undefined;
  readonly error: ApiError | null;
  readonly refetch: () => unknown;
}

/** An answer: not there yet, refused, or shown. What is shown stays while it cannot be renewed. */
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
