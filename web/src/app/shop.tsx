import { useLocation, useRoutes } from 'react-router';
import { Boundary } from './broken';
import { routes } from './routes';

/** The shop, at whatever address a router around it says. */
export function Shop() {
  const { pathname } = useLocation();
  return (
    <Boundary place={pathname}>
      <Pages />
    </Boundary>
  );
}

function Pages() {
  return useRoutes(routes);
}
