import { bodyOf, indented } from '../format/messages.js';

/** An envelope and its decoded body. */
export function MessageText({ envelope }: { envelope: string }) {
  const body = bodyOf(envelope);
  return (
    <>
      <h3>Envelope</h3>
      <pre tabIndex={0}>{indented(envelope)}</pre>
      {body !== undefined && (
        <>
          <h3>Body, decoded</h3>
          <pre tabIndex={0}>{body}</pre>
        </>
      )}
    </>
  );
}
