-- Run once, by a superuser, when the database server is new: makes the role and the database of the shop, never its
-- tables, which `shopmicro-backend migrate` makes. Runs by psql alone: as /docker-entrypoint-initdb.d/init.sql, as
-- NixOS' initialScript, and in a local run. What is there already stays as it is.
\set ON_ERROR_STOP on

-- The role logs in with this password where the environment has one; without it only by means that need none, such as
-- peer authentication.
\getenv password SHOPMICRO_PASSWORD

select 'create role shopmicro login'
where not exists (select from pg_roles where rolname = 'shopmicro') \gexec

\if :{?password}
-- The server writes statements that fail or take long to its log.
set log_statement = 'none';
set log_min_duration_statement = -1;
set log_min_error_statement = 'panic';
alter role shopmicro password :'password';
\endif

select 'create database shopmicro owner shopmicro encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'shopmicro') \gexec

-- Where the image made the database beforehand, it belongs to the superuser.
alter database shopmicro owner to shopmicro;
revoke connect on database shopmicro from public;
