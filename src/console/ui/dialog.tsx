import { Dialog as Base } from '@base-ui/react/dialog';
import { type ReactNode } from 'react';

interface DialogProps {
  readonly label: string;
  readonly title: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A button that opens a dialog with details. */
export function Dialog({ label, title, className = '', children }: DialogProps) {
  return (
    <Base.Root>
      <Base.Trigger className={className}>{label}</Base.Trigger>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className="dialog wide-dialog">
          <Base.Title>{title}</Base.Title>
          {children}
          <div className="dialog-actions">
            <Base.Close>Close</Base.Close>
          </div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
