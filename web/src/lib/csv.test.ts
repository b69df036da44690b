import { expect, it } from 'vitest';
import { parseCsv, writeCsv } from './csv';

it('reads what spreadsheets write', () => {
  expect(parseCsv('\uFEFFa,b\r\n"x, ""y""","two\nlines"\n\n,\n1,')).toEqual([
    ['a', 'b'],
    ['x, "y"', 'two\nlines'],
    ['', ''],
    ['1', ''],
  ]);
  expect(parseCsv('')).toEqual([]);
  expect(() => parseCsv('a\nb"c"\n')).toThrow('row 2');
});

it('reads what it writes', () => {
  const records = [
    ['a', 'b,c'],
    ['"', 'x\ny'],
  ];
  expect(parseCsv(writeCsv(records))).toEqual(records);
});
