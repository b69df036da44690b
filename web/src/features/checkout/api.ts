import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Order } from '@/api/schema';
import { isTransient, ProblemError, request } from '@/lib/http';
import { readAnew } from '@/lib/query';
import { type Attempt, endAttempt } from './attempt';
import { forgetDraft } from './draft';

/** Places the order. Sending the same attempt again is safe. */
export function usePlaceOrder() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (attempt: Attempt) =>
      request<Order>('/api/orders', {
        method: 'POST',
        body: attempt.body,
        headers: { 'Idempotency-Key': attempt.key },
      }),
    onSuccess: forgetDraft,
    onSettled: (_order, error) => {
      // Without a definite answer the order may exist: the attempt stays open under its key.
      if (!isTransient(error)) endAttempt();
      // Stock, cart, orders and recommendations may all have changed.
      readAnew(client);
    },
  });
}

/** A product of which there is less than was ordered: a member of the problem `out-of-stock` alone. */
interface Shortage {
  product_id: string;
  name: string;
  requested: number;
  available: number;
}

/** What is short, where that is why an order was refused. */
export function shortages(error: unknown): Shortage[] {
  if (!(error instanceof ProblemError) || error.slug !== 'out-of-stock') return [];
  const items = 'items' in error.problem ? error.problem.items : undefined;
  // The problem's kind fixes the type of its member.
  return Array.isArray(items) ? (items as Shortage[]) : [];
}
