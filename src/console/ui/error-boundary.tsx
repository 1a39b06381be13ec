import { Component, type ReactNode } from 'react';
import { Empty } from './notes.js';

/** Keeps a failed page from breaking the others. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Empty title="This page has failed.">
        <p role="alert">{error.message}</p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </Empty>
    );
  }
}
