/** Uploads a file that is dropped or chosen, with progress. */
import { useEffect, useId, useRef, useState, type DragEvent } from 'react';
import { type AnswerOf } from '../../contract/http/route.js';
import { type Failed } from '../api/client.js';
import { upload, type Upload, type UploadRequest, type UploadRoute } from '../api/upload.js';
import { bytes, percent } from '../format/numbers.js';
import { Failure } from './notes.js';

interface DropZoneProps<R extends UploadRoute> {
  readonly label: string;
  readonly help: string;
  readonly accept?: string;
  readonly route: R;
  /** Its parameters and query. */
  readonly request: (file: File) => UploadRequest<R>;
  readonly contentType: (file: File) => string;
  readonly onDone: (answer: AnswerOf<R>, file: File) => void;
}

interface Sending {
  readonly file: File;
  readonly sent: number;
}

export function DropZone<R extends UploadRoute>({
  label,
  help,
  accept,
  route,
  request,
  contentType,
  onDone,
}: DropZoneProps<R>) {
  const id = useId();
  const [sending, setSending] = useState<Sending>();
  const [error, setError] = useState<Failed>();
  const [isOver, setOver] = useState(false);
  const running = useRef<Upload<AnswerOf<R>>>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const send = (file: File | undefined) => {
    if (!file || sending) return;
    setError(undefined);
    setSending({ file, sent: 0 });
    const show = (sent: number) => setSending({ file, sent });
    const task = upload(route, request(file), file, contentType(file), show);
    running.current = task;
    void task.answer
      .then((answer) => onDone(answer, file))
      .catch((reason: unknown) => setError(reason as Failed))
      .finally(() => {
        running.current = undefined;
        setSending(undefined);
      });
  };
  const over = (is: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(is);
  };

  return (
    <div>
      <div
        className={isOver ? 'drop over' : 'drop'}
        onDragOver={over(true)}
        onDragLeave={over(false)}
        onDrop={(event) => {
          over(false)(event);
          send(event.dataTransfer.files[0]);
        }}
      >
        <label htmlFor={id}>{label}</label>
        <input
          id={id}
          type="file"
          disabled={sending !== undefined}
          {...(accept === undefined ? {} : { accept })}
          onChange={({ target: input }) => {
            send(input.files?.[0]);
            input.value = '';
          }}
        />
        <p className="help">{help}</p>
      </div>
      {sending && (
        <div className="sending" role="status">
          <progress
            max={sending.file.size}
            value={sending.sent}
            aria-label={`Sending ${sending.file.name}`}
          />
          <span>
            {sending.file.name}: {bytes(sending.sent)} of {bytes(sending.file.size)},{' '}
            {sending.sent < sending.file.size
              ? percent(sending.sent, sending.file.size)
              : 'sent; the server is processing it'}
          </span>
          <button type="button" onClick={() => running.current?.abort()}>
            Stop
          </button>
        </div>
      )}
      {error && <Failure error={error} />}
    </div>
  );
}
