import { tabStorage } from '@/lib/storage';
import { isTestCard } from './cards';

const STORAGE_KEY = 'shopmicro.checkout.draft';

/** What the form holds, field by field. */
export type Draft = Record<string, string>;

/** What was typed before a reload or a look at the cart. */
export function readDraft(): Draft {
  const text = tabStorage.get(STORAGE_KEY);
  // Only this module writes under this key.
  return text ? (JSON.parse(text) as Draft) : {};
}

/** What was ordered is no draft any more. */
export function forgetDraft(): void {
  tabStorage.remove(STORAGE_KEY);
}

export function keepDraft(draft: Draft): void {
  const { card_number = '', ...address } = draft;
  tabStorage.set(STORAGE_KEY, JSON.stringify(isTestCard(card_number) ? draft : address));
}
