-- Run by a superuser when the database server is new, or at any time later: makes the roles and the database of the shop,
-- never its tables, which `shopmicro-backend migrate` makes. Runs by psql alone: as /docker-entrypoint-initdb.d/init.sql,
-- at every start of NixOS' PostgreSQL, and in a local run. What is there already stays as it is.
\set ON_ERROR_STOP on
set client_min_messages = warning;

-- The roles log in with these passwords where the environment has them; without them only by means that need none, such
-- as peer authentication.
\getenv password SHOPMICRO_PASSWORD
\getenv exporter_password SHOPMICRO_EXPORTER_PASSWORD

select 'create role shopmicro login'
where not exists (select from pg_roles where rolname = 'shopmicro') \gexec

-- The exporter of metrics: it reads statistics, and no table.
select 'create role "postgres-exporter" login'
where not exists (select from pg_roles where rolname = 'postgres-exporter') \gexec
grant pg_monitor to "postgres-exporter";

-- The server writes statements that fail or take long to its log.
set log_statement = 'none';
set log_min_duration_statement = -1;
set log_min_error_statement = 'panic';
\if :{?password}
alter role shopmicro password :'password';
\endif
\if :{?exporter_password}
alter role "postgres-exporter" password :'exporter_password';
\endif

select 'create database shopmicro owner shopmicro encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'shopmicro') \gexec

-- Where the image made the database beforehand, it belongs to the superuser.
alter database shopmicro owner to shopmicro;
revoke connect on database shopmicro from public;
grant connect on database shopmicro to "postgres-exporter";
