import { Notice } from '@/components/notice';
import { explain, fieldErrors } from '@/lib/http';

/** Why a change of the account was refused, where no field says it. */
export function Failure({ error }: { error: Error | null }) {
  if (!error || fieldErrors(error).length > 0) return null;
  return <Notice tone="error">{explain(error)}</Notice>;
}
