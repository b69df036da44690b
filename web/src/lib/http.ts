import type { Problem } from '@/api/schema';
import { traceparent } from '@/lib/trace';

/** How long a request may take before it counts as a failure of the connection. */
const DEADLINE_MS = 15_000;

/** An answer with an error status, as `application/problem+json` describes it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** The stable key: the last path segment of the problem's type. */
  readonly slug: string;
  readonly problem: Problem;
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail ?? problem.title);
    this.status = problem.status;
    this.slug = problem.type.split('/').at(-1) ?? '';
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer: the network failed or the deadline passed, so that nobody knows whether the request was served. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

type Query = Record<string, string | number | boolean | undefined>;

/** A path of the API with its query; parameters without a value are left out. */
export function apiPath(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Answers on their way that nobody has taken yet, by path. */
const early = new Map<string, Promise<unknown>>();

/** Asks for what the next `request` of this path will take; `use` may look at the answer before. */
export function askEarly<T>(path: string, use?: (answer: T) => void): void {
  const answer = ask<T>(path, {});
  early.set(path, answer);
  // A failure is told to whoever takes it.
  answer.then(use, () => {});
}

/** Asks the API. Throws a `ProblemError` for an error answer and a `ConnectionError` for none. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const asked = options.method === undefined ? early.get(path) : undefined;
  early.delete(path);
  // The caller names the type that the OpenAPI document gives for this path, as whoever asked early did.
  return asked ? (asked as Promise<T>) : ask<T>(path, options);
}

async function ask<T>(path: string, options: RequestOptions): Promise<T> {
  const method = options.method ?? 'GET';
  const headers = new Headers(options.headers);
  headers.set('Accept', 'application/json, application/problem+json');
  headers.set('traceparent', traceparent(`${method} ${path}`));
  if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, deadline]) : deadline,
    });
    text = await response.text();
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ConnectionError('no answer from the shop', { cause });
  }
  if (!response.ok) throw new ProblemError(problemOf(response.status, text), retryAfter(response));
  // The caller names the type that the OpenAPI document gives for this path.
  return (text ? JSON.parse(text) : undefined) as T;
}

/** The problem that an error answer holds; a proxy in front of the shop may answer with something else. */
function problemOf(status: number, text: string): Problem {
  try {
    const body: unknown = JSON.parse(text);
    if (isProblem(body)) return body;
  } catch {
    // Not JSON: the status says all there is to know.
  }
  const slug = status >= 502 ? 'unavailable' : 'unknown';
  return { type: `https://shopmicro.example/problems/${slug}`, title: `Error ${status}`, status };
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === 'object' &&
    body !== null &&
    'type' in body &&
    typeof body.type === 'string' &&
    'status' in body &&
    typeof body.status === 'number'
  );
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined;
}

/** True where asking again later may well succeed. */
export function isTransient(error: unknown): boolean {
  return mayHaveCounted(error) || (error instanceof ProblemError && error.status === 429);
}

/** True where a change may have been made although its answer says nothing of it. */
export function mayHaveCounted(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ProblemError && error.status >= 500);
}

/** True where what was asked for does not exist; an id that cannot be one is refused as malformed. */
export function isMissing(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 404 || error.status === 400);
}

/** What to tell a customer about a failure. */
export function explain(error: unknown): string {
  if (error instanceof ConnectionError)
    return 'We cannot reach the shop. Check your connection and try again.';
  if (error instanceof ProblemError) {
    if (error.slug === 'too-many-attempts')
      return 'Too many failed attempts to log in. Wait some minutes before the next one.';
    if (error.status === 429) return 'That was a bit fast. Wait a moment and try again.';
    if (error.status === 503) return 'The shop is catching its breath. Try again in a moment.';
    if (error.status >= 500) return 'Something went wrong on our side. Try again in a moment.';
    // Where a field is to blame that no form shows, the title alone would not say why.
    const why = error.problem.errors?.[0]?.message ?? error.problem.title;
    return `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
  }
  return 'Something went wrong. Try again.';
}
