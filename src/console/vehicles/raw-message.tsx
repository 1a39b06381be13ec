import { insightApi } from '../../contract/adapter-api/index.js';
import { useApi } from '../api/use-query.js';
import { Dialog } from '../ui/dialog.js';
import { MessageText } from '../ui/message-text.js';
import { Answered } from '../ui/notes.js';

interface RawMessageProps {
  readonly refId: string;
  readonly vin: string;
  readonly messageId: string;
}

/** A message as received; fetched when opened. */
export function RawMessage(props: RawMessageProps) {
  return (
    <Dialog label="Raw" title="Raw message" className="small">
      <Message {...props} />
    </Dialog>
  );
}

function Message({ refId, vin, messageId }: RawMessageProps) {
  const params = { 'ref-id': refId, vin, message_id: messageId };
  const answer = useApi(insightApi.getMessage, { params });
  return (
    <Answered answer={answer}>
      {({ verbatim, envelope }) => (
        <>
          <p className="muted">
            {verbatim
              ? 'Verbatim: it has fields beyond the contract.'
              : 'Rebuilt from the stored fields, which are all fields of the contract.'}
          </p>
          <MessageText envelope={envelope} />
        </>
      )}
    </Answered>
  );
}
