export interface TestCard {
  number: string;
  label: string;
}

/** The cards that the simulated payment provider knows. */
export const TEST_CARDS: readonly TestCard[] = [
  { number: '4242 4242 4242 4242', label: 'Approved' },
  { number: '4000 0000 0000 0002', label: 'Declined' },
  { number: '4000 0000 0000 0119', label: 'Bank is slow' },
  { number: '4000 0000 0000 0341', label: 'Answer lost' },
];

/** The digits of a card number as people type it. */
export function digits(number: string): string {
  return number.replace(/[\s-]/g, '');
}

export function isTestCard(number: string): boolean {
  return TEST_CARDS.some((card) => digits(card.number) === digits(number));
}
