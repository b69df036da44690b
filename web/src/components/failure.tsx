import type { ReactNode } from 'react';
import { fieldErrors } from '@/lib/field-errors';
import { explain } from '@/lib/http';
import { Notice } from './notice';

/** Why a change was refused, where no field says it; `children` say what follows. */
export function Failure({ error, children }: { error: Error | null; children?: ReactNode }) {
  if (!error || fieldErrors(error).length > 0) return null;
  return (
    <Notice tone="error">
      {explain(error)}
      {children}
    </Notice>
  );
}
