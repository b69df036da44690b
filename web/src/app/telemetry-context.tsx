import { createContext, type ReactNode, useContext } from 'react';
import type { Telemetry } from '@/lib/telemetry';

const TelemetryContext = createContext<Telemetry | undefined>(undefined);

export function TelemetryProvider({ telemetry, children }: { telemetry: Telemetry; children: ReactNode }) {
  return <TelemetryContext value={telemetry}>{children}</TelemetryContext>;
}

/** Where a page reports what broke it; absent in tests. */
export function useTelemetry(): Telemetry | undefined {
  return useContext(TelemetryContext);
}
