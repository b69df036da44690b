import { Component, type ReactNode, useEffect } from 'react';
import { Empty } from '@/components/empty';
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

/** Keeps the frame of the page where only what is in it is broken, and says so. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: undefined, place: this.props.place };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps({ place }: BoundaryProps, state: BoundaryState) {
    return place === state.place ? null : { error: undefined, place };
  }

  override render() {
    return this.state.error ? <Broken error={this.state.error} /> : this.props.children;
  }
}

/** What stands where a page has failed to render, or its script has not come. */
function Broken({ error }: { error: unknown }) {
  const telemetry = useTelemetry();
  useEffect(() => telemetry?.error(error), [telemetry, error]);
  return (
    <Empty icon="alert" title="This page broke" heading="h1">
      <p className="muted">We have been told. Loading it again usually helps.</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Load again
      </button>
    </Empty>
  );
}
