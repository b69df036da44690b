import { describe, expect, it } from 'vitest';
import { json, problem, serve } from '@/test/api';
import { apiPath, ConnectionError, explain, isMissing, isTransient, ProblemError, request } from './http';

async function failure(path: string): Promise<unknown> {
  return request(path).then(
    () => {
      throw new Error('it must fail');
    },
    (error: unknown) => error,
  );
}

describe('request', () => {
  it('sends JSON and reads JSON', async () => {
    const calls = serve({ 'POST /api/x': () => json({ ok: true }, 201) });
    expect(await request('/api/x', { method: 'POST', body: { a: 1 }, headers: { 'X-Y': 'z' } })).toEqual({
      ok: true,
    });
    expect(calls[0]?.body).toEqual({ a: 1 });
    expect(calls[0]?.headers.get('Content-Type')).toBe('application/json');
    expect(calls[0]?.headers.get('X-Y')).toBe('z');
  });

  it('reads an answer without a body', async () => {
    serve({ 'POST /api/x': () => new Response(null, { status: 204 }) });
    expect(await request('/api/x', { method: 'POST' })).toBeUndefined();
  });

  it('throws the problem, with its key and its fields', async () => {
    serve({
      'GET /api/x': () => problem(422, 'invalid', { errors: [{ field: 'a.b', message: 'must be 1' }] }),
    });
    const error = await failure('/api/x');
    if (!(error instanceof ProblemError)) throw error;
    expect([error.slug, error.status]).toEqual(['invalid', 422]);
    expect(error.problem.errors).toEqual([{ field: 'a.b', message: 'must be 1' }]);
    expect(isTransient(error)).toBe(false);
  });

  it('makes a problem of what a proxy answers', async () => {
    serve({ 'GET /api/x': () => new Response('<h1>502 Bad Gateway</h1>', { status: 502 }) });
    const error = await failure('/api/x');
    if (!(error instanceof ProblemError)) throw error;
    expect([error.slug, error.status]).toEqual(['unavailable', 502]);
    expect(isTransient(error)).toBe(true);
  });

  it('keeps Retry-After within a minute', async () => {
    const retryAfter = async (value: string) => {
      serve({ 'GET /api/x': () => problem(503, 'unavailable', {}, { 'Retry-After': value }) });
      const error = await failure('/api/x');
      return error instanceof ProblemError ? error.retryAfterMs : null;
    };
    expect(await retryAfter('2')).toBe(2000);
    expect(await retryAfter('86400')).toBe(60_000);
    expect(await retryAfter('soon')).toBeUndefined();
  });

  it('tells a lock-out from haste', async () => {
    serve({ 'GET /api/x': () => problem(429, 'too-many-attempts') });
    expect(explain(await failure('/api/x'))).toContain('failed attempts');
    serve({ 'GET /api/x': () => problem(429, 'too-many-requests') });
    expect(explain(await failure('/api/x'))).toContain('a bit fast');
  });

  it('says why where no form could', async () => {
    const message = 'a cart holds at most 50 different products';
    serve({ 'GET /api/x': () => problem(422, 'invalid', { errors: [{ field: 'product_id', message }] }) });
    expect(explain(await failure('/api/x'))).toBe('A cart holds at most 50 different products.');
    serve({ 'GET /api/x': () => problem(409, 'conflict', { title: 'It is not so' }) });
    expect(explain(await failure('/api/x'))).toBe('It is not so.');
  });

  it('tells no answer from an answer', async () => {
    serve({
      'GET /api/x': () => {
        throw new TypeError('Failed to fetch');
      },
    });
    const error = await failure('/api/x');
    expect(error).toBeInstanceOf(ConnectionError);
    expect(isTransient(error)).toBe(true);
    expect(explain(error)).toContain('cannot reach');
  });
});

it('knows what does not exist', async () => {
  serve({ 'GET /api/a': () => problem(404, 'not-found'), 'GET /api/b': () => problem(500, 'internal') });
  expect(isMissing(await failure('/api/a'))).toBe(true);
  expect(isMissing(await failure('/api/b'))).toBe(false);
});

it('leaves parameters without a value out of a path', () => {
  expect(apiPath('/api/x', { q: 'a&b', none: undefined, empty: '', yes: true, n: 0 })).toBe(
    '/api/x?q=a%26b&yes=true&n=0',
  );
  expect(apiPath('/api/x', {})).toBe('/api/x');
});
