import { type Query, type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import type { User } from '@/api/schema';
import { ProblemError, request } from '@/lib/http';
import { readAnew } from '@/lib/query';
import { deviceStorage, RECENTLY_VIEWED, tabStorage } from '@/lib/storage';

/**
 * Scripts cannot see the session's cookie. This mark says that there may be one, which spares every guest a request
 * that could only be answered with 401. It decides nothing: the API does.
 */
const MARK = 'shopmicro.session';

/**
 * Whose this tab is, and whose this device. It outlives a session that ends by itself: whoever comes back finds what they
 * typed and looked at, nobody else.
 */
const OWNER = 'shopmicro.owner';

const ME = ['me'] as const;

export const meOptions = queryOptions({
  queryKey: ME,
  queryFn: async ({ client, signal }): Promise<User | null> => {
    const user = await whoIsHere(signal);
    // Somebody may have come or gone while it was on its way.
    signal.throwIfAborted();
    if (user) {
      own(client, user);
    } else {
      deviceStorage.remove(MARK);
      if (client.getQueryData<User | null>(ME)) forgetAnswers(client);
    }
    return user;
  },
  staleTime: 5 * 60_000,
});

async function whoIsHere(signal: AbortSignal): Promise<User | null> {
  if (deviceStorage.get(MARK) === null) return null;
  try {
    return await request<User>('/api/users/me', { signal });
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) return null;
    throw error;
  }
}

/** The customer who is logged in, or null for a guest. */
export function useMe() {
  return useQuery(meOptions);
}

/** Reads that are asked once more: what is refused meanwhile is refused for good. */
const again = new WeakSet<Query>();

/**
 * Called where the API found no valid session, perhaps for a read: it may have been that of the cookie before, so that it is
 * asked who is here. Where somebody is, so is what was refused.
 */
export async function doubtSession(client: QueryClient, refused?: Query): Promise<void> {
  const asked = refused === undefined || again.has(refused);
  await client.invalidateQueries(meOptions);
  if (asked || !client.getQueryData<User | null>(ME)) return;
  again.add(refused);
  await client.refetchQueries({ queryKey: refused.queryKey, exact: true, type: 'active' });
  again.delete(refused);
}

/** The cart has merged, and recommendations and orders are now this customer's: all else is read anew. */
export async function enter(client: QueryClient, user: User): Promise<void> {
  // An answer on its way is to whoever was here before.
  await client.cancelQueries();
  deviceStorage.set(MARK, '1');
  own(client, user);
  readAnew(client);
  client.setQueryData(ME, user);
}

/** What only a customer who is logged in may ask for. */
const OWN: unknown[] = ['sessions', 'orders', 'admin'];

/** Nothing of whoever was here before is for whoever is here now. */
function own(client: QueryClient, user: User): void {
  const another = (owner: string | null | undefined) => typeof owner === 'string' && owner !== user.id;
  // The page may have slept in the browser's history while others came and went in this tab.
  if (another(tabStorage.get(OWNER)) || another(client.getQueryData<User | null>(ME)?.id)) {
    tabStorage.clear();
    forgetAnswers(client);
  }
  if (another(deviceStorage.get(OWNER))) deviceStorage.remove(RECENTLY_VIEWED);
  tabStorage.set(OWNER, user.id);
  deviceStorage.set(OWNER, user.id);
}

/** Nothing of a customer stays behind: what they looked at on this device, what they typed in this tab, what was answered. */
export function leave(client: QueryClient): void {
  forgetOwner();
  becomeGuest(client);
}

/** The same for a page that is about to go itself, with all that was answered. */
export function forgetOwner(): void {
  deviceStorage.clear();
  tabStorage.clear();
}

/** Follows what other tabs of the browser do: they share the session, and may end it or begin another. */
export function followSession(client: QueryClient): void {
  // By what was written then: whoever leaves and whoever comes may both be here before the first of them is told.
  addEventListener('storage', ({ key, newValue }) => {
    if (key === MARK && newValue !== null) {
      void askAnew(client);
    } else if (key === MARK) {
      // It ended by itself: its customer may come back.
      becomeGuest(client);
    } else if (key === null) {
      tabStorage.clear();
      becomeGuest(client);
    }
  });
  addEventListener('pageshow', ({ persisted }) => {
    // A page that the browser has kept as it was heard nothing meanwhile.
    if (!persisted) return;
    const known = client.getQueryData<User | null>(ME)?.id;
    if (deviceStorage.get(MARK) === null || (known && known !== tabStorage.get(OWNER))) becomeGuest(client);
    if (deviceStorage.get(MARK) !== null) void askAnew(client);
  });
}

/** All is asked anew, what is on its way to whoever was here before as well. */
async function askAnew(client: QueryClient): Promise<void> {
  await client.cancelQueries();
  await client.invalidateQueries();
}

function becomeGuest(client: QueryClient): void {
  const known = client.getQueryData(ME) !== null;
  void client.cancelQueries(meOptions);
  client.setQueryData(ME, null);
  if (known) forgetAnswers(client);
}

function forgetAnswers(client: QueryClient): void {
  // To be asked by nobody any more, not even by the page that is about to go.
  client.removeQueries({ predicate: ({ queryKey: [area] }) => OWN.includes(area) });
  void client.resetQueries({ predicate: (query) => query.queryKey[0] !== ME[0] });
}
