import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { preloadPages, templateOf } from '@/app/routes';
import { Shop } from '@/app/shop';
import { TelemetryProvider } from '@/app/telemetry-context';
import { doubtSession, followSession } from '@/features/account/session';
import { createQueryClient } from '@/lib/query';
import { Telemetry, watchPage } from '@/lib/telemetry';

const telemetry = new Telemetry(templateOf);
watchPage(telemetry);
preloadPages();

const client = createQueryClient(doubtSession);
followSession(client);

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id root');
createRoot(root, { onUncaughtError: (error) => telemetry.error(error) }).render(
  <StrictMode>
    <TelemetryProvider telemetry={telemetry}>
      <QueryClientProvider client={client}>
        <BrowserRouter>
          <Shop />
        </BrowserRouter>
      </QueryClientProvider>
    </TelemetryProvider>
  </StrictMode>,
);
