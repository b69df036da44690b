/** The records of a CSV text (RFC 4180): fields between commas, in quotes where they hold commas, quotes or line breaks. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  // A field with what ends it; a spreadsheet may begin the text with a mark of its order of bytes.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const body = text.replace(/^\uFEFF/, '');
  let record: string[] = [];
  while (field.lastIndex < body.length) {
    const match = field.exec(body);
    if (!match) throw new SyntaxError(`row ${records.length + 1} has a quote in the wrong place`);
    const [, quoted, plain = '', end] = match;
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') {
      // A comma at the very end leaves one empty field, of which nothing is left to match.
      if (field.lastIndex === body.length) record.push('');
      else continue;
    }
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  }
  return records;
}

/** Records as a CSV text. */
export function writeCsv(records: string[][]): string {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return records.map((record) => `${record.map(field).join(',')}\r\n`).join('');
}
