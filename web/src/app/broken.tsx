import { useEffect } from 'react';
import { useRouteError } from 'react-router';
import { Empty } from '@/components/empty';
import { useTelemetry } from './telemetry-context';

/** What stands where a page has failed to render. */
export function Broken() {
  const error = useRouteError();
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
