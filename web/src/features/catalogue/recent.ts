import { deviceStorage, RECENTLY_VIEWED } from '@/lib/storage';

const KEPT = 9;

/** The ids of what was looked at last on this device, newest first. They never leave it but to be looked up. */
export function recentIds(): string[] {
  const text = deviceStorage.get(RECENTLY_VIEWED);
  // Other tabs and older versions of the shop write here too.
  return text ? text.split(' ').filter((id) => /^[0-9a-f-]{36}$/.test(id)) : [];
}

export function keepRecent(id: string): void {
  const ids = [id, ...recentIds().filter((known) => known !== id)].slice(0, KEPT);
  deviceStorage.set(RECENTLY_VIEWED, ids.join(' '));
}
