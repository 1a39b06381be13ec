/** A confirmation dialog that shows, in numbers, what an action will do. */
import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useId, useState } from 'react';
import { type Failed } from '../api/client.js';
import { Failure } from './notes.js';

interface ConfirmProps {
  /** Of the button that opens it. */
  readonly label: string;
  /** Of the button that confirms; absent: the same. */
  readonly confirmLabel?: string;
  /** Of the button that dismisses the dialog. */
  readonly dismissLabel?: string;
  readonly title: string;
  /** What will happen. */
  readonly children: ReactNode;
  readonly isDangerous?: boolean;
  readonly isPrimary?: boolean;
  /** For a row of a table. */
  readonly isSmall?: boolean;
  readonly disabled?: boolean;
  /** Whether the input is valid. */
  readonly isReady?: boolean;
  /** Whether to ask for a reason for the audit log; default: yes. */
  readonly withReason?: boolean;
  readonly act: (reason: string) => Promise<unknown>;
  readonly onDone?: () => void;
}

export function Confirm({
  label,
  confirmLabel = label,
  dismissLabel = 'Keep as is',
  title,
  children,
  isDangerous = false,
  isPrimary = false,
  isSmall = false,
  disabled = false,
  isReady = true,
  withReason = true,
  act,
  onDone,
}: ConfirmProps) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const reasonId = useId();
  const action = useMutation<unknown, Failed, string>({
    mutationFn: act,
    onSuccess: () => {
      setOpen(false);
      onDone?.();
    },
  });
  const show = (next: boolean) => {
    setOpen(next);
    if (!next) return;
    setReason('');
    action.reset();
  };
  const look = isDangerous ? 'danger' : isPrimary ? 'primary' : isSmall ? 'small' : '';
  return (
    <AlertDialog.Root open={open} onOpenChange={show}>
      <AlertDialog.Trigger className={look} disabled={disabled}>
        {label}
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="dialog">
          <AlertDialog.Title>{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div className="consequence" />}>
            {children}
          </AlertDialog.Description>
          {withReason && (
            <div className="field">
              <label htmlFor={reasonId}>Reason, for the audit log</label>
              <input
                id={reasonId}
                value={reason}
                maxLength={1000}
                onChange={({ target }) => setReason(target.value)}
              />
            </div>
          )}
          {action.error && <Failure error={action.error} />}
          <div className="dialog-actions">
            <AlertDialog.Close disabled={action.isPending}>{dismissLabel}</AlertDialog.Close>
            <button
              type="button"
              className={isDangerous ? 'danger solid' : 'primary'}
              disabled={action.isPending || !isReady}
              onClick={() => action.mutate(reason.trim())}
            >
              {action.isPending ? 'Working …' : confirmLabel}
            </button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

/** A request body with a reason; the interface expects an absent reason rather than an empty one. */
export const withReason = <Body extends object = object>(
  reason: string,
  body?: Body,
): Body & { readonly reason?: string } =>
  ({ ...body, ...(reason === '' ? {} : { reason }) }) as Body & { readonly reason?: string };
