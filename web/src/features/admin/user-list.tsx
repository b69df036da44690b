import { useState } from 'react';
import type { User } from '@/api/schema';
import { Empty } from '@/components/empty';
import { Loaded } from '@/components/loaded';
import { Notice } from '@/components/notice';
import { Skeletons } from '@/components/skeleton';
import { useTwoSteps } from '@/components/use-two-steps';
import { date } from '@/lib/format';
import { explain, ProblemError } from '@/lib/http';
import styles from './admin.module.css';
import { useChangeRole, useUsers } from './api';
import { Table } from './table';

/** Everybody's accounts, and who of them is an admin. */
export function UserList({ q, me }: { q: string; me: User }) {
  const users = useUsers(q);
  const change = useChangeRole();
  const changed = change.data;
  const last = change.error instanceof ProblemError && change.error.status === 409;
  return (
    <Loaded query={users} loading={<Skeletons shape="line" n={8} />}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon="person" title="Nobody's address or name begins so" />
        ) : (
          <Table
            list={users}
            notice={
              <>
                <p className="visually-hidden" role="status">
                  {changed &&
                    `${changed.name} is ${changed.role === 'admin' ? 'an admin' : 'a customer'} now`}
                </p>
                {change.isError && (
                  <Notice tone="error">
                    {last ? 'The shop would be left without an admin.' : explain(change.error)}
                  </Notice>
                )}
              </>
            }
            head={
              <>
                <th scope="col">Account</th>
                <th scope="col" className={styles.wide}>
                  Since
                </th>
                <th scope="col">Role</th>
              </>
            }
          >
            {items.map((user) => (
              <tr key={user.id}>
                <td>
                  {user.name}
                  <br />
                  <span className="muted small">{user.email}</span>
                </td>
                <td className={`${styles.wide} ${styles.code}`}>{date(user.created_at)}</td>
                <td>
                  <Role
                    user={user}
                    mine={user.id === me.id}
                    busy={change.isPending}
                    onChange={(role, onSettled) => change.mutate({ id: user.id, role }, { onSettled })}
                  />
                </td>
              </tr>
            ))}
          </Table>
        )
      }
    </Loaded>
  );
}

interface RoleProps {
  user: User;
  /** One does not take one's own rights by a slip of the finger. */
  mine: boolean;
  busy: boolean;
  /** Calls back once it is known whether the role has changed. */
  onChange: (role: User['role'], onSettled: () => void) => void;
}

/** A role, to be changed in two steps, since it gives or takes much. */
function Role({ user, mine, busy, onChange }: RoleProps) {
  const { asking, ask, leave, first, second } = useTwoSteps();
  const other = user.role === 'admin' ? 'customer' : 'admin';
  // What was asked for stays so, though somebody else changes the role meanwhile.
  const [wanted, want] = useState<User['role']>(other);
  const said = user.role === 'admin' ? 'Admin' : 'Customer';
  if (mine) return <>{said} (you)</>;
  return asking ? (
    <span className={styles.bar}>
      <button type="button" className="button quiet" disabled={busy} onClick={() => onChange(wanted, leave)}>
        {wanted === 'admin' ? 'Make admin' : 'Make customer'}
      </button>
      <button ref={second} type="button" className="link-button" disabled={busy} onClick={leave}>
        No
      </button>
    </span>
  ) : (
    <span className={styles.bar}>
      {said}
      <button
        ref={first}
        type="button"
        className="link-button"
        aria-label={`Change the role of ${user.name}, ${user.email}`}
        onClick={() => {
          want(other);
          ask();
        }}
      >
        Change
      </button>
    </span>
  );
}
