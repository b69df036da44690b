import type { FieldError } from '@/api/schema';
import { ProblemError } from '@/lib/http';

/** The field errors of a failed request, empty for any other failure. */
export function fieldErrors(error: unknown): FieldError[] {
  return error instanceof ProblemError ? (error.problem.errors ?? []) : [];
}

/** What is wrong with a field of the request's body, by the field's path, or with one entry of a list that it is. */
export function fieldError(error: unknown, path: string): string | undefined {
  return fieldErrors(error).find(({ field }) => field === path || field.startsWith(`${path}[`))?.message;
}
