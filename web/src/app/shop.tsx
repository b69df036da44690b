import { useRoutes } from 'react-router';
import { routes } from './routes';

/** The shop, at whatever address a router around it says. */
export function Shop() {
  return useRoutes(routes);
}
