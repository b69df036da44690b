import { expect, it } from 'vitest';
import { fieldError, fieldErrors } from './field-errors';
import { ConnectionError, ProblemError } from './http';

const refused = (...fields: string[]) =>
  new ProblemError({
    type: 'https://shopmicro.example/problems/invalid',
    title: 'Invalid',
    status: 422,
    errors: fields.map((field) => ({ field, message: `${field} is wrong` })),
  });

it('tells of a field by its path', () => {
  const error = refused('a.b', 'c');
  expect(fieldError(error, 'a.b')).toBe('a.b is wrong');
  for (const other of ['a', 'b', 'a.b.c']) expect(fieldError(error, other)).toBeUndefined();
});

it('tells of an entry of a list at the list', () => {
  const error = refused('tags[3]', 'tags[4]');
  expect(fieldError(error, 'tags')).toBe('tags[3] is wrong');
  expect(fieldError(error, 'tag')).toBeUndefined();
});

it('knows of no field in any other failure', () => {
  expect(fieldErrors(new ConnectionError())).toEqual([]);
  expect(fieldErrors(undefined)).toEqual([]);
});
