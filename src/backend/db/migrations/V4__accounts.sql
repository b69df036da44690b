-- Accounts: guessing passwords becomes slow, sessions end when nobody uses them, and what ends or changes a session
-- reaches Redis whatever happens.

-- Attempts to log in since the last that succeeded, by the SHA-256 of the address: kept alike for addresses with and
-- without an account, so that nothing here tells them apart.
create table login_attempts (
    email_hash    bytea primary key check (length(email_hash) = 32),
    failures      integer not null check (failures > 0),
    -- No attempt counts before this moment.
    blocked_until timestamptz,
    updated_at    timestamptz not null default now()
);
create index login_attempts_age_idx on login_attempts (updated_at);

alter table sessions
    -- What its owner knows the session by.
    add column id uuid not null default gen_random_uuid() constraint sessions_id_key unique,
    -- Moved now and then, not by every request.
    add column last_seen_at timestamptz not null default now();
create index sessions_idle_idx on sessions (last_seen_at);
create index sessions_owner_idx on sessions (user_id, created_at desc, id desc);
drop index sessions_user_idx;

-- Sessions that were ended or changed here and of which Redis may still hold a copy as they were. A row goes once Redis
-- has been told, or when every such copy is too old to be trusted. It refers to no session, since it outlives it.
create table session_revocations (
    id         bigint generated always as identity primary key,
    token_hash bytea not null check (length(token_hash) = 32),
    at         timestamptz not null default now()
);
create index session_revocations_age_idx on session_revocations (at);

-- The admins' lists. Prefixes are ranges in the order of the bytes, whatever the database's collation.
create index users_newest_idx on users (created_at desc, id desc);
create index users_role_idx on users (role, created_at desc, id desc);
create index users_email_prefix_idx on users ((email collate "C"));
create index users_name_prefix_idx on users ((lower(name) collate "C"));

create index audit_log_actor_idx on audit_log (actor_id, id desc);
create index audit_log_action_idx on audit_log (action, id desc);
create index audit_log_subject_idx on audit_log (subject, id desc);
