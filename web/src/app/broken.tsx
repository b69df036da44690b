import { Component, type ReactNode, useEffect, useRef, useState } from 'react';
import { Empty } from '@/components/empty';
import { retryDelay } from '@/lib/query';
import { MissingScript } from '@/lib/script';
import { useTelemetry } from './telemetry-context';

interface BoundaryProps {
  /** Where the visitor is: another place has another chance. */
  place: string;
  children: ReactNode;
}

interface BoundaryState {
  error: unknown;
  place: string;
}

/** Keeps what is around it where only what is in it is broken, and says so. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: undefined, place: this.props.place };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps({ place }: BoundaryProps, state: BoundaryState) {
    return place === state.place ? null : { error: undefined, place };
  }

  private readonly retry = () => this.setState({ error: undefined });

  override render() {
    const { error } = this.state;
    if (error instanceof MissingScript) return <Missing error={error} onThere={this.retry} />;
    return error ? <Broken error={error} /> : this.props.children;
  }
}

function useReport(error: unknown) {
  const telemetry = useTelemetry();
  useEffect(() => telemetry?.error(error), [telemetry, error]);
}

/** What stands where the script of a page has not come. It is asked for until it does. */
function Missing({ error, onThere }: { error: MissingScript; onThere: () => void }) {
  useReport(error);
  const [failures, setFailures] = useState(0);
  const ask = useRef(() => {});
  useEffect(() => {
    let shown = true;
    ask.current = () => {
      clearTimeout(timer);
      error.again().then(
        () => shown && onThere(),
        () => shown && setFailures(failures + 1),
      );
    };
    const timer = setTimeout(() => ask.current(), retryDelay(failures, error));
    const online = () => ask.current();
    addEventListener('online', online);
    return () => {
      shown = false;
      clearTimeout(timer);
      removeEventListener('online', online);
    };
  }, [error, failures, onThere]);
  return (
    <Empty icon="alert" title="This page has not come" heading="h1">
      <p className="muted">We keep trying; it opens as soon as we can reach the shop.</p>
      <button type="button" className="button" onClick={() => ask.current()}>
        Try again
      </button>
    </Empty>
  );
}

/** What stands where a page has failed to render. */
function Broken({ error }: { error: unknown }) {
  useReport(error);
  return (
    <Empty icon="alert" title="This page broke" heading="h1">
      <p className="muted">We have been told. Loading it again usually helps.</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Load again
      </button>
    </Empty>
  );
}
