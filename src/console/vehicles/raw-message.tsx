import { useApi } from '../api/use-query.js';
import { Dialog } from '../ui/dialog.js';
import { MessageText } from '../ui/message-text.js';
import { Answered } from '../ui/notes.js';

interface Raw {
  readonly asItCame: boolean;
  readonly envelope: string;
}

/** A message as it came; asked for when it is opened. */
export function RawMessage({ path, messageId }: { path: string; messageId: string }) {
  return (
    <Dialog label="Raw" title="Raw message" className="small">
      <Message path={`${path}/messages/${encodeURIComponent(messageId)}`} />
    </Dialog>
  );
}

function Message({ path }: { path: string }) {
  const answer = useApi<Raw>(path);
  return (
    <Answered answer={answer}>
      {({ asItCame, envelope }) => (
        <>
          <p className="muted">
            {asItCame
              ? 'As it came: it has fields beyond the contract’s.'
              : 'Written anew from what is stored: all of the contract’s fields.'}
          </p>
          <MessageText envelope={envelope} />
        </>
      )}
    </Answered>
  );
}
