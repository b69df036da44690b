/** Four small things, one of them special. */
export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <g fill="var(--on-accent)">
        <rect x="7" y="7" width="8" height="8" rx="2.5" />
        <rect x="7" y="17" width="8" height="8" rx="2.5" />
        <rect x="17" y="17" width="8" height="8" rx="2.5" />
      </g>
      <circle cx="21" cy="11" r="4.2" fill="var(--highlight)" />
    </svg>
  );
}
