/** Where to go after a login: only a path of this shop, since the query string can be written by anybody. */
export function nextPath(search: URLSearchParams): string {
  const next = search.get('next') ?? '/';
  const base = 'https://shop.invalid';
  const url = URL.canParse(next, base) ? new URL(next, base) : undefined;
  // A path that begins with two slashes would name another host.
  const own = next.startsWith('/') && url?.origin === base && !url.pathname.startsWith('//');
  return own ? `${url.pathname}${url.search}` : '/';
}
