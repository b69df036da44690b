/** Random bytes in hexadecimal. `crypto.randomUUID` exists over HTTPS only, and the shop also runs over plain HTTP. */
export function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** An Idempotency-Key: 128 random bits. */
export function randomKey(): string {
  return randomHex(16);
}
