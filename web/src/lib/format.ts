const LOCALE = 'en-GB';

/** A value that is made when it is first asked for: to make a format takes a while, and no page needs all of them. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const formats = new Map<string, Intl.NumberFormat>();

/** An amount in minor units as people write it, such as £12.50. */
export function money(cents: number, currency: string): string {
  let format = formats.get(currency);
  if (!format) {
    format = new Intl.NumberFormat(LOCALE, { style: 'currency', currency });
    formats.set(currency, format);
  }
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(cents / 10 ** digits);
}

const day = once(() => new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long' }));
const moment = once(() => new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeStyle: 'short' }));
const wholeDay = once(() => new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeZone: 'UTC' }));
const plain = once(() => new Intl.NumberFormat(LOCALE));
const countries = once(() => new Intl.DisplayNames(LOCALE, { type: 'region' }));

/** A moment's date, such as 3 March 2026. */
export function date(rfc3339: string): string {
  return day().format(new Date(rfc3339));
}

/** A day of the calendar such as 2026-03-03, which is that day wherever it is read. */
export function calendarDay(yyyymmdd: string): string {
  return wholeDay().format(new Date(yyyymmdd));
}

/** A moment's date and time, such as 3 March 2026 at 14:05. */
export function dateTime(rfc3339: string): string {
  return moment().format(new Date(rfc3339));
}

/** A number as people write it, such as 4,000. */
export function number(n: number): string {
  return plain().format(n);
}

/** A number with its noun: 1 item, 2 items. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** The part of an order's id that people read out; the whole id stays in the address. */
export function orderNumber(id: string): string {
  return id.slice(-8).toUpperCase();
}

/** A country's name by its two letters. */
export function countryName(code: string): string {
  return countries().of(code) ?? code;
}
